import { AMOUNT_MAX, type Channel, type OrderLine, type StockKind, type TenderKind } from '@provender/contracts';
import { accept, discounted, type Money, money, type Result, refuse } from '@provender/kernel';

/** What somebody wants to buy: no name and no price, those are ours to say. */
export type Placement = {
  readonly siteId: string;
  readonly channel: Channel;
  readonly tender: TenderKind;
  /** What lay on the counter, for cash. */
  readonly received: Money | null;
  readonly lines: readonly LineRequest[];
};

export type LineRequest = {
  readonly productId: string;
  readonly variationId?: string | undefined;
  readonly quantity: number;
};

/** A site as it is at this moment, by the clock on its wall. */
export type SellingSite = {
  readonly id: string;
  readonly currency: string;
  readonly isOpen: boolean;
  /** The last minutes before closing, when all is sold at its closing discount. */
  readonly isClosingTime: boolean;
};

export type Variation = { readonly variationId: string; readonly name: string; readonly priceDelta: Money };

/** One product of the orders' own price list. */
export type Product = {
  readonly id: string;
  readonly name: string;
  readonly priceAmount: number;
  readonly currency: string;
  readonly stock: StockKind;
  readonly closingDiscountPercent: number;
  readonly variations: readonly Variation[];
};

/** The refusals of a placing, in the order in which they are looked for. */
export type PlacementRefusal =
  | { readonly kind: 'site-unknown' }
  | { readonly kind: 'site-closed' }
  | { readonly kind: 'product-unavailable'; readonly productId: string; readonly variationId?: string }
  | { readonly kind: 'total-too-large' }
  | { readonly kind: 'currency-mismatch'; readonly currency: string }
  | { readonly kind: 'received-too-little'; readonly total: Money };

export type PricedOrder = { readonly lines: readonly OrderLine[]; readonly total: Money };

/**
 * Decides whether an order may be placed, and freezes its names and prices.
 * Refuses an unknown site; a shop order outside opening hours (the counter sells always); a product or variation that
 * is unknown, withdrawn or priced in another currency than the site's; a total beyond the largest amount; cash in
 * another currency, or less of it than the total.
 */
export function decidePlacement(
  placement: Placement,
  site: SellingSite | undefined,
  priceList: ReadonlyMap<string, Product>,
): Result<PricedOrder, PlacementRefusal> {
  if (site === undefined) return refuse({ kind: 'site-unknown' });
  if (placement.channel === 'shop' && !site.isOpen) return refuse({ kind: 'site-closed' });
  const lines: OrderLine[] = [];
  let totalAmount = 0;
  for (const request of placement.lines) {
    const line = priceLine(request, site, priceList.get(request.productId));
    if (line === undefined) return refuse({ kind: 'product-unavailable', ...productOf(request) });
    lines.push(line);
    totalAmount += line.total.amount;
  }
  if (totalAmount > AMOUNT_MAX) return refuse({ kind: 'total-too-large' });
  const total = money(totalAmount, site.currency);
  const { received } = placement;
  if (received !== null && received.currency !== site.currency) {
    return refuse({ kind: 'currency-mismatch', currency: site.currency });
  }
  if (received !== null && received.amount < totalAmount) return refuse({ kind: 'received-too-little', total });
  return accept({ lines, total });
}

function productOf({ productId, variationId }: LineRequest) {
  return variationId === undefined ? { productId } : { productId, variationId };
}

/** One line with the name and the price of this moment. Undefined where the product cannot be sold at this site. */
function priceLine(request: LineRequest, site: SellingSite, product: Product | undefined): OrderLine | undefined {
  if (product === undefined || product.currency !== site.currency) return undefined;
  const { variationId, quantity } = request;
  const variation =
    variationId === undefined ? undefined : product.variations.find((each) => each.variationId === variationId);
  if (variationId !== undefined && variation?.priceDelta.currency !== site.currency) return undefined;
  // A variation may make a product cheaper, never cheaper than nothing.
  const listAmount = Math.max(0, product.priceAmount + (variation?.priceDelta.amount ?? 0));
  const discountPercent = site.isClosingTime ? product.closingDiscountPercent : 0;
  const unitAmount = discounted(listAmount, discountPercent);
  return {
    productId: product.id,
    ...(variation === undefined ? {} : { variationId: variation.variationId }),
    name: product.name,
    ...(variation === undefined ? {} : { variationName: variation.name }),
    stock: product.stock,
    quantity,
    listPrice: money(listAmount, site.currency),
    discountPercent,
    unitPrice: money(unitAmount, site.currency),
    total: money(unitAmount * quantity, site.currency),
  };
}
