import { accept, type Instant, type Result } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { decideTransfer, type TransferRefusal, type WantedTransfer } from '../domain/transfer.ts';
import { readProduct, readSite } from '../store/copies.ts';
import { allocate, readFreeInWarehouse } from '../store/warehouse-ledger.ts';
import { lockSource } from '../store/warehouses.ts';
import { shelveTransfer } from './shelve-goods.ts';

export type TransferWish = WantedTransfer & {
  readonly warehouseId: string;
  readonly siteId: string;
  readonly productId: string;
};

export type Transferred = {
  readonly batchId: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly quantity: number;
};

/**
 * Brings goods from a warehouse to a site: there they are units of a batch with the given id. The source does not know
 * of it, so that what was taken stays allocated here over every sync. Refuses what `decideTransfer` refuses.
 */
export async function transferGoods(
  tx: Tx,
  ids: Ids,
  batchId: string,
  { warehouseId, siteId, productId, ...wanted }: TransferWish,
  now: Instant,
): Promise<Result<Transferred, TransferRefusal>> {
  const [site, product] = await Promise.all([readSite(tx, siteId), readProduct(tx, productId), lockSource(tx)]);
  const free = await readFreeInWarehouse(tx, warehouseId, product?.sku ?? null);
  const source = { isWarehouseKnown: free !== undefined, free: free ?? undefined };
  const decided = decideTransfer(wanted, source, site, product, now);
  if (!decided.ok) return decided;
  const { sku, ...goods } = decided.value;
  const { quantity } = goods;
  await allocate(tx, [{ reference: batchId, attempt: 1, warehouseId, sku, quantity }], 'transfer', now);
  await shelveTransfer(tx, ids, { batchId, siteId, productId }, goods, now);
  return accept({ batchId, warehouseId, sku, quantity });
}
