import { type StockKind } from '@provender/contracts';
import { accept, instant, type Instant, type Money, money, parseInstant, type Result, refuse } from '@provender/kernel';
import { type KnownSite, staleAtOf } from './shelf.ts';

/** What inventory knows of a product: its own copy. */
export type KnownProduct = {
  readonly id: string;
  /** Null where the product was defined before skus were kept, and not said again since. */
  readonly sku: string | null;
  readonly stock: StockKind;
  readonly shelfLifeMinutes: number | null;
  readonly unitCost: Money;
  readonly withdrawn: boolean;
};

/** Goods that somebody put on a shelf, as the request says it. */
export type ReceivedGoods = { readonly quantity: number; readonly madeAt?: string; readonly unitCost?: Money };

/** Goods as they come to the shelf. */
export type AcceptedGoods = {
  readonly quantity: number;
  readonly madeAt: Instant;
  readonly staleAt: Instant | null;
  readonly unitCost: Money;
};

export type ReceiptRefusal =
  | { readonly kind: 'unknown-site' }
  | { readonly kind: 'unknown-product' }
  | { readonly kind: 'not-kept-as-units' }
  | { readonly kind: 'other-currency'; readonly currency: string }
  | { readonly kind: 'no-moment' }
  | { readonly kind: 'made-in-the-future' };

/** Nothing that was made before is sold; an older moment is a slip of the pen. */
const MADE_AT_MIN = instant(Date.UTC(2000, 0, 1));

/**
 * Decides whether goods may go on the shelf. Takes site and product as known, undefined where they are not. Goods
 * without a moment were made now; goods without a cost cost what the product says. Refuses in this order: unknown site
 * or product, what is made to order, a cost in another currency than the site's, goods that were made at no moment, or
 * in the future. Goods that are stale already come in all the same, since they are there: no sale takes them, and the
 * next sweep books them as waste with their cost.
 */
export function decideReceipt(
  goods: ReceivedGoods,
  site: KnownSite | undefined,
  product: KnownProduct | undefined,
  now: Instant,
): Result<AcceptedGoods, ReceiptRefusal> {
  if (site === undefined) return refuse({ kind: 'unknown-site' });
  if (product === undefined || product.withdrawn) return refuse({ kind: 'unknown-product' });
  if (product.stock !== 'unit') return refuse({ kind: 'not-kept-as-units' });
  if (goods.unitCost !== undefined && goods.unitCost.currency !== site.currency) {
    return refuse({ kind: 'other-currency', currency: site.currency });
  }
  const madeAt = goods.madeAt === undefined ? now : parseInstant(goods.madeAt);
  if (madeAt === undefined || madeAt < MADE_AT_MIN) return refuse({ kind: 'no-moment' });
  if (madeAt > now) return refuse({ kind: 'made-in-the-future' });
  const staleAt = staleAtOf(madeAt, product.shelfLifeMinutes);
  const { amount, currency } = goods.unitCost ?? product.unitCost;
  return accept({ quantity: goods.quantity, madeAt, staleAt, unitCost: money(amount, currency) });
}
