import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import { type AcceptedGoods, decideReceipt, type KnownProduct, type ReceiptRefusal } from './receipt.ts';
import type { KnownSite } from './shelf.ts';

export type WantedTransfer = { readonly quantity: number; readonly madeAt?: string };

export type TransferRefusal =
  | { readonly kind: 'unknown-warehouse' }
  | ReceiptRefusal
  | { readonly kind: 'not-in-warehouse'; readonly sku: string | null }
  | { readonly kind: 'not-enough'; readonly sku: string; readonly wanted: number; readonly available: number };

/** What is free of the product's item in the warehouse; undefined where it does not list it. */
export type TransferSource = { readonly isWarehouseKnown: boolean; readonly free: number | undefined };

/**
 * Decides whether goods may be brought from a warehouse to a site, where they become units. They are matched by the
 * product's sku. Refuses, in this order, an unknown warehouse, what a receipt refuses, a product that the warehouse
 * does not list, and more than is free there.
 */
export function decideTransfer(
  wanted: WantedTransfer,
  source: TransferSource,
  site: KnownSite | undefined,
  product: KnownProduct | undefined,
  now: Instant,
): Result<AcceptedGoods & { readonly sku: string }, TransferRefusal> {
  if (!source.isWarehouseKnown) return refuse({ kind: 'unknown-warehouse' });
  const goods = decideReceipt(wanted, site, product, now);
  if (!goods.ok) return goods;
  const sku = product?.sku ?? null;
  if (sku === null || source.free === undefined) return refuse({ kind: 'not-in-warehouse', sku });
  const { quantity } = wanted;
  if (source.free < quantity) return refuse({ kind: 'not-enough', sku, wanted: quantity, available: source.free });
  return accept({ ...goods.value, sku });
}
