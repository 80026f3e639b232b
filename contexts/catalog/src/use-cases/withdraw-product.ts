import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { productWithdrawn } from '../domain/product.ts';
import { lockProduct, withdrawProductRow } from '../store.ts';
import type { UnknownProduct } from './revise-product.ts';

/** Takes a product out of the range for good; history keeps it. Refuses one that is unknown or withdrawn already. */
export async function withdrawProduct(tx: Tx, id: string, now: Instant): Promise<Result<null, UnknownProduct>> {
  if ((await lockProduct(tx, id)) === undefined) return refuse({ kind: 'unknown-product' });
  await withdrawProductRow(tx, id, now);
  tx.append([productWithdrawn(id)]);
  return accept(null);
}
