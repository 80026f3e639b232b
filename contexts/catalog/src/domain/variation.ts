import { VARIATIONS_MAX, type VariationDraft, type VariationPatch } from '@provender/contracts';
import { accept, type Money, type Result, refuse } from '@provender/kernel';
import type { Fault, Invalid } from './fault.ts';
import type { Product } from './product.ts';

/** A way to have a product: oat milk for 40 more, a small one for 50 less. */
export type Variation = { readonly id: string; readonly name: string; readonly priceDelta: Money };

export type TooManyVariations = { readonly kind: 'too-many-variations' };
export type UnknownVariation = { readonly kind: 'unknown-variation' };

/** What is wrong with a variation of a product of that price, below the pointer. */
export function variationFaults(price: Money, { priceDelta }: Omit<Variation, 'id'>, pointer: string): Fault[] {
  if (priceDelta.currency !== price.currency) {
    const detail = `must be the currency of the price, ${price.currency}`;
    return [{ pointer: `${pointer}/priceDelta/currency`, detail }];
  }
  if (price.amount + priceDelta.amount < 0) {
    return [{ pointer: `${pointer}/priceDelta/amount`, detail: 'must not make the price negative' }];
  }
  return [];
}

/** The product with one variation more. Refuses a negative price, another currency, more than it may have. */
export function withVariation(
  product: Product,
  id: string,
  { name, priceDelta }: VariationDraft,
): Result<Product, Invalid | TooManyVariations> {
  const variation: Variation = { id, name, priceDelta };
  const faults = variationFaults(product.price, variation, '');
  if (faults.length > 0) return refuse({ kind: 'invalid', faults });
  if (product.variations.length >= VARIATIONS_MAX) return refuse({ kind: 'too-many-variations' });
  return accept({ ...product, variations: [...product.variations, variation] });
}

/** The product with that variation changed. Refuses one that it does not have, and what {@link withVariation} does. */
export function withRevisedVariation(
  product: Product,
  id: string,
  patch: VariationPatch,
): Result<Product, Invalid | UnknownVariation> {
  const before = product.variations.find((variation) => variation.id === id);
  if (before === undefined) return refuse({ kind: 'unknown-variation' });
  const revised: Variation = { ...before, ...patch };
  const faults = variationFaults(product.price, revised, '');
  if (faults.length > 0) return refuse({ kind: 'invalid', faults });
  const variations = product.variations.map((variation) => (variation.id === id ? revised : variation));
  return accept({ ...product, variations });
}

/** The product without that variation. Refuses one that it does not have. */
export function withoutVariation(product: Product, id: string): Result<Product, UnknownVariation> {
  const variations = product.variations.filter((variation) => variation.id !== id);
  if (variations.length === product.variations.length) return refuse({ kind: 'unknown-variation' });
  return accept({ ...product, variations });
}
