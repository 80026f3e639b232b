import type { BatchDraft } from '@provender/contracts';
import { accept, type Instant, type Result } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Batch, batchBaked, batchByHand } from '../domain/batch.ts';
import { insertBatches, readBatch } from '../store.ts';
import { readBakeable, type Unbakeable } from './define-schedule.ts';

/**
 * Bakes now, by hand, under the id given. Refuses a site or product that is not known, and a product that is made to
 * order. The same id again gives the batch as it is.
 */
export async function bakeBatch(
  tx: Tx,
  id: string,
  draft: BatchDraft,
  now: Instant,
): Promise<Result<Batch, Unbakeable>> {
  const bakeable = await readBakeable(tx, draft);
  if (!bakeable.ok) return bakeable;
  const batch = batchByHand(id, draft, now);
  const [baked] = await insertBatches(tx, [batch]);
  if (baked === undefined) return accept((await readBatch(tx, id)) ?? batch);
  tx.append([batchBaked(batch, bakeable.value.product)]);
  return accept(batch);
}
