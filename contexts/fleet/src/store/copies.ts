import type { ProductDefined, SiteDefined } from '@provender/contracts';
import { type Query, statement } from '@provender/platform';
import type { KnownProduct } from '../domain/planogram.ts';

const UPSERT_SITES = statement(
  'upsert-sites',
  `INSERT INTO sites (id, currency, free_vend) SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[])
   ON CONFLICT (id) DO UPDATE SET currency = excluded.currency, free_vend = excluded.free_vend`,
);
const UPSERT_PRODUCTS = statement(
  'upsert-products',
  `INSERT INTO products (id, name, price, currency, stock)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[])
   ON CONFLICT (id) DO UPDATE
   SET name = excluded.name, price = excluded.price, currency = excluded.currency, stock = excluded.stock`,
);
const WITHDRAW_PRODUCTS = statement(
  'withdraw-products',
  'UPDATE products SET withdrawn = true WHERE id = ANY($1::uuid[])',
);
const SITE_CURRENCY = statement('site-currency', 'SELECT currency FROM sites WHERE id = $1');
// FOR SHARE: a withdrawal waits until a planogram that was decided on the product is there.
const PRODUCTS_SHARED = statement(
  'products-shared',
  'SELECT id, withdrawn FROM products WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE',
);

export async function saveSites(db: Query, sites: readonly SiteDefined[]): Promise<void> {
  await db.query(UPSERT_SITES, [
    sites.map(({ siteId }) => siteId),
    sites.map(({ currency }) => currency),
    sites.map(({ freeVend }) => freeVend),
  ]);
}

export async function saveProducts(db: Query, products: readonly ProductDefined[]): Promise<void> {
  await db.query(UPSERT_PRODUCTS, [
    products.map(({ productId }) => productId),
    products.map(({ name }) => name),
    products.map(({ price }) => price.amount),
    products.map(({ price }) => price.currency),
    products.map(({ stock }) => stock),
  ]);
}

export async function withdrawProducts(db: Query, ids: readonly string[]): Promise<void> {
  await db.query(WITHDRAW_PRODUCTS, [ids]);
}

/** The currency of a site; undefined where the site is not known. */
export async function readCurrency(db: Query, siteId: string): Promise<string | undefined> {
  return (await db.query<{ currency: string }>(SITE_CURRENCY, [siteId]))[0]?.currency;
}

/** What is known of these products, which stays so until the transaction ends. */
export function readProducts(db: Query, ids: readonly string[]): Promise<KnownProduct[]> {
  return db.query<KnownProduct>(PRODUCTS_SHARED, [ids]);
}
