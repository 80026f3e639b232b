import { isDeepStrictEqual } from 'node:util';
import type { VariationDraft, VariationPatch } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { Invalid } from '../domain/fault.ts';
import { type Product, productDefined } from '../domain/product.ts';
import {
  type TooManyVariations,
  type UnknownVariation,
  type Variation,
  withoutVariation,
  withRevisedVariation,
  withVariation,
} from '../domain/variation.ts';
import { insertVariations, lockProduct, updateVariation, withdrawVariationRow } from '../store.ts';

import type { UnknownProduct } from './revise-product.ts';

/** Which variation of which product is meant, or is to be. */
export type VariationOf = { readonly productId: string; readonly variationId: string };

/** Adds a variation to a product. Refuses an unknown product and what {@link withVariation} refuses. */
export async function addVariation(
  tx: Tx,
  { productId, variationId }: VariationOf,
  draft: VariationDraft,
): Promise<Result<Variation, Invalid | UnknownProduct | TooManyVariations>> {
  const product = await lockProduct(tx, productId);
  if (product === undefined) return refuse({ kind: 'unknown-product' });
  const wider = withVariation(product, variationId, draft);
  if (!wider.ok) return wider;
  const variation = variationOf(wider.value, variationId);
  await insertVariations(tx, productId, [variation]);
  tx.append([productDefined(wider.value)]);
  return accept(variation);
}

/** Changes the named members of a variation. Refuses what is unknown and what {@link withRevisedVariation} refuses. */
export async function reviseVariation(
  tx: Tx,
  { productId, variationId }: VariationOf,
  patch: VariationPatch,
): Promise<Result<Variation, Invalid | UnknownProduct | UnknownVariation>> {
  const product = await lockProduct(tx, productId);
  if (product === undefined) return refuse({ kind: 'unknown-product' });
  const revised = withRevisedVariation(product, variationId, patch);
  if (!revised.ok) return revised;
  const variation = variationOf(revised.value, variationId);
  if (isDeepStrictEqual(product, revised.value)) return accept(variation);
  await updateVariation(tx, variation);
  tx.append([productDefined(revised.value)]);
  return accept(variation);
}

/** Takes a variation off its product; history keeps it. Refuses what is unknown. */
export async function withdrawVariation(
  tx: Tx,
  { productId, variationId }: VariationOf,
  now: Instant,
): Promise<Result<null, UnknownProduct | UnknownVariation>> {
  const product = await lockProduct(tx, productId);
  if (product === undefined) return refuse({ kind: 'unknown-product' });
  const narrower = withoutVariation(product, variationId);
  if (!narrower.ok) return narrower;
  await withdrawVariationRow(tx, variationId, now);
  tx.append([productDefined(narrower.value)]);
  return accept(null);
}

function variationOf(product: Product, id: string): Variation {
  const variation = product.variations.find((each) => each.id === id);
  if (variation === undefined) throw new Error('A variation was lost on the way');
  return variation;
}
