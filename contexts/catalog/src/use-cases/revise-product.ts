import { isDeepStrictEqual } from 'node:util';
import type { ProductPatch } from '@provender/contracts';
import { type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { Invalid } from '../domain/fault.ts';
import { type Product, productDefined, revisedProduct } from '../domain/product.ts';
import { isSkuTaken, lockProduct, updateProduct } from '../store.ts';
import type { SkuTaken } from './define-product.ts';

export type UnknownProduct = { readonly kind: 'unknown-product' };

/**
 * Changes the named members of a product; null clears. Refuses an unknown or withdrawn product, a sku that another
 * living product has, and values that cannot stand with the others.
 */
export async function reviseProduct(
  tx: Tx,
  id: string,
  patch: ProductPatch,
): Promise<Result<Product, Invalid | UnknownProduct | SkuTaken>> {
  const product = await lockProduct(tx, id);
  if (product === undefined) return refuse({ kind: 'unknown-product' });
  const revised = revisedProduct(product, patch);
  if (!revised.ok || isDeepStrictEqual(product, revised.value)) return revised;
  const { sku } = revised.value;
  if (sku !== product.sku && (await isSkuTaken(tx, sku, id))) return refuse({ kind: 'sku-taken' });
  await updateProduct(tx, revised.value);
  tx.append([productDefined(revised.value)]);
  return revised;
}
