import type { BatchBaked, Said } from '@provender/contracts';
import { accept, formatInstant, type Instant, instant, type Money, type Result } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { type AcceptedGoods, decideReceipt, type ReceiptRefusal, type ReceivedGoods } from '../domain/receipt.ts';
import { staleAtOf } from '../domain/shelf.ts';
import { readProduct, readSite } from '../store/copies.ts';
import { insertBatches, makeUnits, type NewBatch } from '../store/shelf.ts';

/** Puts what came out of the oven on its shelf. A batch that is there already changes nothing. */
export async function shelveBatches(tx: Tx, ids: Ids, baked: readonly BatchBaked[], now: Instant): Promise<void> {
  const batches = baked.map(({ batchId, siteId, productId, quantity, unitCost, ...batch }): NewBatch => {
    const madeAt = instant(Date.parse(batch.madeAt));
    const staleAt = staleAtOf(madeAt, batch.shelfLifeMinutes);
    const unitIds = unitIdsOf(ids, quantity);
    // What was baked before a closing belongs to that day, however late one hears of it.
    return { id: batchId, siteId, productId, source: 'batch', madeAt, shelvedAt: madeAt, staleAt, unitCost, unitIds };
  });
  await shelve(tx, batches, now);
}

export type GoodsDraft = ReceivedGoods & { readonly siteId: string; readonly productId: string };

/**
 * Puts goods, bought in or made outside of a schedule, on the shelf of a site, as a batch of the given id. The same
 * id again changes nothing. Refuses what `decideReceipt` refuses.
 */
export async function receiveGoods(
  tx: Tx,
  ids: Ids,
  batchId: string,
  { siteId, productId, ...goods }: GoodsDraft,
  now: Instant,
): Promise<Result<{ readonly batchId: string; readonly quantity: number }, ReceiptRefusal>> {
  const [site, product] = await Promise.all([readSite(tx, siteId), readProduct(tx, productId)]);
  const decided = decideReceipt(goods, site, product, now);
  if (!decided.ok) return decided;
  const { quantity, ...shelved } = decided.value;
  const unitIds = unitIdsOf(ids, quantity);
  await shelve(
    tx,
    [{ id: batchId, siteId: site?.id ?? siteId, productId, source: 'receipt', shelvedAt: now, unitIds, ...shelved }],
    now,
  );
  return accept({ batchId, quantity });
}

/**
 * Puts goods that were brought from a warehouse, and have been accepted, on the shelf of a site as units of one batch.
 */
export async function shelveTransfer(
  tx: Tx,
  ids: Ids,
  to: { readonly batchId: string; readonly siteId: string; readonly productId: string },
  { quantity, ...goods }: AcceptedGoods,
  now: Instant,
): Promise<void> {
  const { batchId: id, ...place } = to;
  const unitIds = unitIdsOf(ids, quantity);
  await shelve(tx, [{ id, ...place, source: 'transfer', shelvedAt: now, unitIds, ...goods }], now);
}

async function shelve(tx: Tx, batches: readonly NewBatch[], now: Instant): Promise<void> {
  const added = await insertBatches(tx, batches);
  if (added.length === 0) return;
  await makeUnits(tx, added, now);
  tx.append(added.map(unitsMade));
}

function unitsMade({ id, siteId, productId, source, madeAt, staleAt, unitCost, unitIds }: NewBatch): Said {
  return {
    type: 'inventory.units-made.v1',
    key: siteId,
    subject: id,
    data: {
      siteId,
      batchId: id,
      productId,
      quantity: unitIds.length,
      madeAt: formatInstant(madeAt),
      staleAt: staleAt === null ? null : formatInstant(staleAt),
      unitCost: costOf(unitCost),
      source,
    },
  };
}

function costOf({ amount, currency }: Money): Money {
  return { amount, currency };
}

function unitIdsOf(ids: Ids, quantity: number): string[] {
  return Array.from({ length: quantity }, () => ids.next()).sort();
}
