import type { ProductDraft, ProductPatch, ProductView, Said, StockKind } from '@provender/contracts';
import { accept, DAY, MINUTE, type Money, money, parseDuration, type Result, refuse } from '@provender/kernel';
import { currencyFaults, type Fault, type Invalid } from './fault.ts';
import { type Variation, variationFaults } from './variation.ts';

/** What is sold: kept on the shelf as units, or made to order. All its money is of one currency. */
export type Product = {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly description: string | null;
  readonly price: Money;
  readonly unitCost: Money | null;
  readonly stock: StockKind;
  /** ISO 8601, as it was written; null: does not go stale. */
  readonly shelfLife: string | null;
  readonly keepsOvernight: boolean;
  readonly closingDiscountPercent: number;
  readonly variations: readonly Variation[];
};

/** Ten years: what keeps longer does not go stale. */
export const SHELF_LIFE_MAX = 3_650 * DAY;

/**
 * A new product with the ids given for it and for each of its variations.
 * Refuses mixed currencies, a shelf life of what is made to order, a price that a variation would take below zero.
 */
export function productFrom(
  id: string,
  draft: ProductDraft,
  variationIds: readonly string[],
): Result<Product, Invalid> {
  const variations = (draft.variations ?? []).map(({ name, priceDelta }, index) => {
    const variationId = variationIds[index];
    if (variationId === undefined) throw new Error('A variation was given no id');
    return { id: variationId, name, priceDelta };
  });
  const product: Product = {
    id,
    sku: draft.sku,
    name: draft.name,
    category: draft.category,
    description: draft.description ?? null,
    price: draft.price,
    unitCost: draft.unitCost ?? null,
    stock: draft.stock,
    shelfLife: draft.shelfLife ?? null,
    keepsOvernight: draft.keepsOvernight ?? false,
    closingDiscountPercent: draft.closingDiscountPercent ?? 0,
    variations,
  };
  const faults = variations.flatMap((variation, index) =>
    variationFaults(product.price, variation, `/variations/${index}`),
  );
  return checkedProduct(product, faults);
}

/** The product with only the named members changed; null clears. Refuses what {@link productFrom} refuses. */
export function revisedProduct(product: Product, patch: ProductPatch): Result<Product, Invalid> {
  const { keepsOvernight = product.keepsOvernight, ...rest } = patch;
  const revised = { ...product, ...rest, keepsOvernight: keepsOvernight ?? false };
  const clashes = revised.variations.flatMap((variation) =>
    variationFaults(revised.price, variation, '').map(({ pointer, detail }) => ({
      pointer: pointer.replace('/priceDelta', '/price'),
      detail: `does not go with the variation ${variation.name}: its priceDelta ${detail}`,
    })),
  );
  return checkedProduct(revised, clashes.slice(0, 1));
}

function checkedProduct(product: Product, variationsFaults: readonly Fault[]): Result<Product, Invalid> {
  const faults = [
    ...currencyFaults('/price/currency', product.price.currency),
    ...costFaults(product),
    ...shelfLifeFaults(product),
    ...variationsFaults,
  ];
  return faults.length === 0 ? accept(product) : refuse({ kind: 'invalid', faults });
}

function costFaults({ price, unitCost }: Product): Fault[] {
  if (unitCost === null || unitCost.currency === price.currency) return [];
  return [{ pointer: '/unitCost/currency', detail: `must be the currency of the price, ${price.currency}` }];
}

function shelfLifeFaults({ stock, shelfLife }: Product): Fault[] {
  if (shelfLife === null) return [];
  const fault = (detail: string) => [{ pointer: '/shelfLife', detail }];
  const duration = parseDuration(shelfLife) ?? 0;
  if (duration < MINUTE || duration % MINUTE !== 0) return fault('must be whole minutes, at least one');
  if (duration > SHELF_LIFE_MAX) return fault('is too long; leave it out for what does not go stale');
  return stock === 'unit' ? [] : fault('goes only with products that are kept as units');
}

function shelfLifeMinutes(shelfLife: string | null): number | null {
  return shelfLife === null ? null : (parseDuration(shelfLife) ?? 0) / MINUTE;
}

/** All that others may know of it. A product whose cost nobody has named costs nothing in the books. */
export function productDefined(product: Product): Said {
  const { id: productId, description: _, shelfLife, variations, ...rest } = product;
  return {
    type: 'catalog.product-defined.v1',
    key: productId,
    subject: productId,
    data: {
      ...rest,
      productId,
      shelfLifeMinutes: shelfLifeMinutes(shelfLife),
      unitCost: product.unitCost ?? money(0, product.price.currency),
      variations: variations.map(({ id, name, priceDelta }) => ({ variationId: id, name, priceDelta })),
    },
  };
}

export function productWithdrawn(productId: string): Said {
  return { type: 'catalog.product-withdrawn.v1', key: productId, subject: productId, data: { productId } };
}

/** What a caller sees; the cost is for those who work here. */
export function productView(product: Product, showsCost: boolean): ProductView {
  const { description, unitCost, shelfLife, variations, ...rest } = product;
  return {
    ...rest,
    ...(description === null ? {} : { description }),
    ...(unitCost === null || !showsCost ? {} : { unitCost }),
    ...(shelfLife === null ? {} : { shelfLife }),
    variations: [...variations],
  };
}
