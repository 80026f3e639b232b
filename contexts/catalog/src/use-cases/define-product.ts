import type { ProductDraft } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { Invalid } from '../domain/fault.ts';
import { type Product, productDefined, productFrom } from '../domain/product.ts';
import { insertProduct, isKnownProduct, isSkuTaken, readProduct } from '../store.ts';

export type SkuTaken = { readonly kind: 'sku-taken' };

export type ProductIds = { readonly productId: string; readonly variationIds: readonly string[] };

/**
 * Takes a product into the range under the ids given, one for it and one for each of its variations. Refuses a sku that
 * another living product has, and what {@link productFrom} refuses. The same id again gives the product as it stands.
 */
export async function defineProduct(
  tx: Tx,
  { productId, variationIds }: ProductIds,
  draft: ProductDraft,
): Promise<Result<Product, Invalid | SkuTaken>> {
  const made = productFrom(productId, draft, variationIds);
  if (!made.ok) return made;
  if (await isSkuTaken(tx, draft.sku, productId)) return refuse({ kind: 'sku-taken' });
  // The sku's lock is held: nobody else can be defining the same product at this moment.
  if (await isKnownProduct(tx, productId)) return accept((await readProduct(tx, productId)) ?? made.value);
  await insertProduct(tx, made.value);
  tx.append([productDefined(made.value)]);
  return made;
}
