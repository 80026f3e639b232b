import type { ProductDefined, SiteDefined } from '@provender/contracts';
import { money } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { KnownProduct } from '../domain/receipt.ts';
import type { KnownSite } from '../domain/shelf.ts';

// Inventory's own copies of sites and products.

const SITE = statement(
  'site',
  `SELECT id, kind, time_zone AS "timeZone", opens_at AS "opensAt", closes_at AS "closesAt", currency
   FROM sites WHERE id = $1`,
);
const PRODUCT = statement(
  'product',
  `SELECT id, sku, stock, shelf_life_minutes AS "shelfLifeMinutes", unit_cost AS "unitCost", currency, withdrawn
   FROM products WHERE id = $1`,
);
const UPSERT_SITES = statement(
  'upsert-sites',
  `INSERT INTO sites (id, kind, time_zone, opens_at, closes_at, currency)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
   ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, time_zone = excluded.time_zone, opens_at = excluded.opens_at,
     closes_at = excluded.closes_at, currency = excluded.currency`,
);
const UPSERT_PRODUCTS = statement(
  'upsert-products',
  `INSERT INTO products (id, sku, stock, shelf_life_minutes, keeps_overnight, unit_cost, currency)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::boolean[], $6::bigint[], $7::text[])
   ON CONFLICT (id) DO UPDATE SET sku = excluded.sku, stock = excluded.stock,
     shelf_life_minutes = excluded.shelf_life_minutes,
     keeps_overnight = excluded.keeps_overnight, unit_cost = excluded.unit_cost, currency = excluded.currency`,
);
const WITHDRAW_PRODUCTS = statement(
  'withdraw-products',
  'UPDATE products SET withdrawn = true WHERE id = ANY($1::uuid[])',
);

type ProductRow = Omit<KnownProduct, 'unitCost'> & { readonly unitCost: number; readonly currency: string };

export async function readSite(db: Query, id: string): Promise<KnownSite | undefined> {
  return (await db.query<KnownSite>(SITE, [id]))[0];
}

export async function readProduct(db: Query, id: string): Promise<KnownProduct | undefined> {
  const [row] = await db.query<ProductRow>(PRODUCT, [id]);
  if (row === undefined) return undefined;
  const { unitCost, currency, ...product } = row;
  return { ...product, unitCost: money(unitCost, currency) };
}

export async function saveSites(db: Query, sites: readonly SiteDefined[]): Promise<void> {
  await db.query(UPSERT_SITES, [
    sites.map(({ siteId }) => siteId),
    sites.map(({ kind }) => kind),
    sites.map(({ timeZone }) => timeZone),
    sites.map(({ opensAt }) => opensAt),
    sites.map(({ closesAt }) => closesAt),
    sites.map(({ currency }) => currency),
  ]);
}

export async function saveProducts(db: Query, products: readonly ProductDefined[]): Promise<void> {
  await db.query(UPSERT_PRODUCTS, [
    products.map(({ productId }) => productId),
    products.map(({ sku }) => sku),
    products.map(({ stock }) => stock),
    products.map(({ shelfLifeMinutes }) => shelfLifeMinutes),
    products.map(({ keepsOvernight }) => keepsOvernight),
    products.map(({ unitCost }) => unitCost.amount),
    products.map(({ unitCost }) => unitCost.currency),
  ]);
}

export async function withdrawProducts(db: Query, ids: readonly string[]): Promise<void> {
  await db.query(WITHDRAW_PRODUCTS, [ids]);
}
