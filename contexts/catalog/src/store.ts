import { MENU_ITEMS_MAX, type SiteHours, type StockKind } from '@provender/contracts';
import { formatInstant, type Instant, instant, money } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Offer } from './domain/menu.ts';
import type { Product } from './domain/product.ts';
import type { ShelfChange } from './domain/shelf.ts';
import type { Site } from './domain/site.ts';
import type { Variation } from './domain/variation.ts';

/** A page of a list that goes by id, newest first. */
export type IdPage = { readonly limit: number; readonly after?: readonly [string] };

const SITE_COLUMNS = `id, name, kind, time_zone AS "timeZone", opens_at AS "opensAt", closes_at AS "closesAt", currency,
  free_vend AS "freeVend"`;

const SITE = statement('site', `SELECT ${SITE_COLUMNS} FROM sites WHERE id = $1`);
const SITE_LOCKED = statement('site-locked', `SELECT ${SITE_COLUMNS} FROM sites WHERE id = $1 FOR UPDATE`);
const SITES = statement(
  'sites',
  `SELECT ${SITE_COLUMNS} FROM sites WHERE $2::uuid IS NULL OR id < $2 ORDER BY id DESC LIMIT $1`,
);
const INSERT_SITE = statement(
  'insert-site',
  `INSERT INTO sites (id, name, kind, time_zone, opens_at, closes_at, currency, free_vend)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id`,
);
const UPDATE_SITE = statement(
  'update-site',
  `UPDATE sites SET name = $2, kind = $3, time_zone = $4, opens_at = $5, closes_at = $6, currency = $7, free_vend = $8
   WHERE id = $1`,
);

export async function readSite(db: Query, id: string): Promise<Site | undefined> {
  return (await db.query<Site>(SITE, [id]))[0];
}

/** Reads a site and keeps others from changing it until the transaction ends. */
export async function lockSite(db: Query, id: string): Promise<Site | undefined> {
  return (await db.query<Site>(SITE_LOCKED, [id]))[0];
}

/** One row more than the limit, so that the last page is known as such. */
export function listSites(db: Query, { limit, after }: IdPage): Promise<Site[]> {
  return db.query<Site>(SITES, [limit + 1, after?.[0] ?? null]);
}

/** Gives false where there is a site of that id already. */
export async function insertSite(db: Query, site: Site): Promise<boolean> {
  return (await db.query(INSERT_SITE, siteValues(site))).length === 1;
}

export async function updateSite(db: Query, site: Site): Promise<void> {
  await db.query(UPDATE_SITE, siteValues(site));
}

function siteValues(site: Site): unknown[] {
  const { id, name, kind, timeZone, opensAt, closesAt, currency, freeVend } = site;
  return [id, name, kind, timeZone, opensAt, closesAt, currency, freeVend];
}

const VARIATIONS_OF_PRODUCT = `COALESCE((
  SELECT json_agg(json_build_object('id', id, 'name', name, 'priceDelta', price_delta) ORDER BY place)
  FROM variations WHERE product_id = product.id AND withdrawn_at IS NULL), '[]')`;

const PRODUCT_COLUMNS = `product.id, sku, product.name, category, description, price, currency, unit_cost AS "unitCost",
  stock, shelf_life AS "shelfLife", keeps_overnight AS "keepsOvernight",
  closing_discount_percent AS "closingDiscountPercent", ${VARIATIONS_OF_PRODUCT} AS variations`;

const PRODUCT = statement(
  'product',
  `SELECT ${PRODUCT_COLUMNS} FROM products AS product WHERE id = $1 AND withdrawn_at IS NULL`,
);
const PRODUCTS = statement(
  'products',
  `SELECT ${PRODUCT_COLUMNS} FROM products AS product
   WHERE withdrawn_at IS NULL AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $1`,
);
const LOCK_PRODUCT = statement(
  'lock-product',
  'SELECT FROM products WHERE id = $1 AND withdrawn_at IS NULL FOR UPDATE',
);
const KNOWN_PRODUCT = statement('known-product', 'SELECT FROM products WHERE id = $1');
const INSERT_PRODUCT = statement(
  'insert-product',
  `INSERT INTO products (id, sku, name, category, description, price, currency, unit_cost, stock, shelf_life,
     keeps_overnight, closing_discount_percent)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
);
const UPDATE_PRODUCT = statement(
  'update-product',
  `UPDATE products SET sku = $2, name = $3, category = $4, description = $5, price = $6, currency = $7,
     unit_cost = $8, stock = $9, shelf_life = $10, keeps_overnight = $11, closing_discount_percent = $12
   WHERE id = $1`,
);
const WITHDRAW_PRODUCT = statement('withdraw-product', 'UPDATE products SET withdrawn_at = $2 WHERE id = $1');

// Two who want one sku at the same time take turns, so that the second is refused; the unique index alone would end
// its transaction with an error. Which other sku shares the lock's number does not matter, it only waits.
const LOCK_SKU = statement('lock-sku', "SELECT pg_advisory_xact_lock(hashtextextended('sku ' || $1, 0))");
const SKU_TAKEN = statement('sku-taken', 'SELECT FROM products WHERE sku = $1 AND id <> $2 AND withdrawn_at IS NULL');

type ProductRow = Omit<Product, 'price' | 'unitCost' | 'variations'> & {
  readonly price: number;
  readonly currency: string;
  readonly unitCost: number | null;
  readonly variations: readonly VariationRow[];
};
type VariationRow = { readonly id: string; readonly name: string; readonly priceDelta: number };

function productFromRow({ currency, price, unitCost, variations, ...rest }: ProductRow): Product {
  return {
    ...rest,
    price: money(price, currency),
    unitCost: unitCost === null ? null : money(unitCost, currency),
    variations: variationsFromRows(variations, currency),
  };
}

function variationsFromRows(rows: readonly VariationRow[], currency: string): Variation[] {
  return rows.map(({ id, name, priceDelta }) => ({ id, name, priceDelta: money(priceDelta, currency) }));
}

/** A living product; undefined where it is unknown or withdrawn. */
export async function readProduct(db: Query, id: string): Promise<Product | undefined> {
  const [row] = await db.query<ProductRow>(PRODUCT, [id]);
  return row === undefined ? undefined : productFromRow(row);
}

/** True where there is, or ever was, a product of that id. */
export async function isKnownProduct(db: Query, id: string): Promise<boolean> {
  return (await db.query(KNOWN_PRODUCT, [id])).length === 1;
}

/**
 * Reads a living product and keeps others from changing it, or its variations, until the transaction ends. Two
 * statements: one alone would wait for the product's row and still see the variations of before.
 */
export async function lockProduct(db: Query, id: string): Promise<Product | undefined> {
  const [, rows] = await Promise.all([db.query(LOCK_PRODUCT, [id]), db.query<ProductRow>(PRODUCT, [id])]);
  return rows[0] === undefined ? undefined : productFromRow(rows[0]);
}

/** One row more than the limit, so that the last page is known as such. */
export async function listProducts(db: Query, { limit, after }: IdPage): Promise<Product[]> {
  return (await db.query<ProductRow>(PRODUCTS, [limit + 1, after?.[0] ?? null])).map(productFromRow);
}

/** True where another living product has that sku. Nobody else can take it until the transaction ends. */
export async function isSkuTaken(db: Query, sku: string, exceptProductId: string): Promise<boolean> {
  const [, rows] = await Promise.all([db.query(LOCK_SKU, [sku]), db.query(SKU_TAKEN, [sku, exceptProductId])]);
  return rows.length > 0;
}

export async function insertProduct(db: Query, product: Product): Promise<void> {
  await db.query(INSERT_PRODUCT, productValues(product));
  if (product.variations.length > 0) await insertVariations(db, product.id, product.variations);
}

export async function updateProduct(db: Query, product: Product): Promise<void> {
  await db.query(UPDATE_PRODUCT, productValues(product));
}

export async function withdrawProductRow(db: Query, id: string, at: Instant): Promise<void> {
  await db.query(WITHDRAW_PRODUCT, [id, formatInstant(at)]);
}

function productValues(product: Product): unknown[] {
  const { id, sku, name, category, description, price, unitCost, stock, shelfLife } = product;
  const cost = unitCost?.amount ?? null;
  const { keepsOvernight, closingDiscountPercent } = product;
  return [
    ...[id, sku, name, category, description, price.amount, price.currency, cost, stock, shelfLife],
    ...[keepsOvernight, closingDiscountPercent],
  ];
}

const INSERT_VARIATIONS = statement(
  'insert-variations',
  `INSERT INTO variations (id, product_id, name, price_delta)
   SELECT id, $1, name, price_delta
   FROM unnest($2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY AS added (id, name, price_delta, place)
   ORDER BY place`,
);
const UPDATE_VARIATION = statement(
  'update-variation',
  'UPDATE variations SET name = $2, price_delta = $3 WHERE id = $1',
);
const WITHDRAW_VARIATION = statement('withdraw-variation', 'UPDATE variations SET withdrawn_at = $2 WHERE id = $1');

export async function insertVariations(db: Query, productId: string, variations: readonly Variation[]): Promise<void> {
  await db.query(INSERT_VARIATIONS, [
    productId,
    variations.map(({ id }) => id),
    variations.map(({ name }) => name),
    variations.map(({ priceDelta }) => priceDelta.amount),
  ]);
}

export async function updateVariation(db: Query, { id, name, priceDelta }: Variation): Promise<void> {
  await db.query(UPDATE_VARIATION, [id, name, priceDelta.amount]);
}

export async function withdrawVariationRow(db: Query, id: string, at: Instant): Promise<void> {
  await db.query(WITHDRAW_VARIATION, [id, formatInstant(at)]);
}

// One upsert a set, its rows in key order. It gives the buckets that are empty now, to be deleted: mostly none.
const CHANGE_SHELVES = statement(
  'change-shelves',
  `WITH changed AS (
     INSERT INTO menu_stock AS bucket (site_id, product_id, batch_id, stale_at, available)
     SELECT site_id, product_id, batch_id, max(stale_at), sum(delta)
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::integer[])
       AS change (site_id, product_id, batch_id, stale_at, delta)
     GROUP BY site_id, product_id, batch_id HAVING sum(delta) <> 0
     ORDER BY site_id, product_id, batch_id
     ON CONFLICT (site_id, product_id, batch_id) DO UPDATE SET available = bucket.available + excluded.available
     RETURNING site_id, product_id, batch_id, available
   )
   SELECT site_id AS "siteId", product_id AS "productId", batch_id AS "batchId" FROM changed WHERE available = 0`,
);
const DELETE_EMPTY_BUCKETS = statement(
  'delete-empty-buckets',
  `DELETE FROM menu_stock AS bucket
   USING unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS empty (site_id, product_id, batch_id)
   WHERE bucket.site_id = empty.site_id AND bucket.product_id = empty.product_id AND bucket.batch_id = empty.batch_id
     AND bucket.available = 0`,
);
const LIST_PRODUCTS = statement(
  'list-on-menu',
  `INSERT INTO menu_listed (site_id, product_id)
   SELECT DISTINCT site_id, product_id FROM unnest($1::uuid[], $2::uuid[]) AS listed (site_id, product_id)
   ON CONFLICT DO NOTHING`,
);

/** Puts units on the shelves that menus show, and takes them off, in one statement for the whole set. */
export async function changeShelves(db: Query, changes: readonly ShelfChange[]): Promise<void> {
  if (changes.length === 0) return;
  const empty = await db.query<{ siteId: string; productId: string; batchId: string }>(CHANGE_SHELVES, [
    changes.map(({ siteId }) => siteId),
    changes.map(({ productId }) => productId),
    changes.map(({ batchId }) => batchId),
    changes.map(({ staleAt }) => staleAt),
    changes.map(({ delta }) => delta),
  ]);
  if (empty.length === 0) return;
  const keys = [
    empty.map((each) => each.siteId),
    empty.map((each) => each.productId),
    empty.map((each) => each.batchId),
  ];
  await db.query(DELETE_EMPTY_BUCKETS, keys);
}

/** Remembers that a site has units of these products. */
export async function listOnMenu(
  db: Query,
  listed: readonly { readonly siteId: string; readonly productId: string }[],
): Promise<void> {
  await db.query(LIST_PRODUCTS, [listed.map(({ siteId }) => siteId), listed.map(({ productId }) => productId)]);
}

// Each branch goes by an index: the site by its key, its buckets by the head of theirs, products by currency. A bucket
// whose units do not outlast a hold that begins now is not counted.
const MENU = statement(
  'menu',
  `SELECT site.time_zone AS "timeZone", site.opens_at AS "opensAt", site.closes_at AS "closesAt", offer.id,
     offer.name, offer.category, offer.description, offer.price, offer.currency, offer.stock,
     offer.closing_discount_percent AS "closingDiscountPercent", offer.variations,
     COALESCE(shelf.fresh, 0) AS fresh, shelf.earliest_stale_at AS "earliestStaleAt"
   FROM sites AS site
   LEFT JOIN LATERAL (
     SELECT product.*, ${VARIATIONS_OF_PRODUCT} AS variations FROM products AS product
     WHERE product.currency = site.currency AND product.withdrawn_at IS NULL
       AND (site.kind = 'shop' OR EXISTS (
         SELECT FROM menu_listed AS listed WHERE listed.site_id = site.id AND listed.product_id = product.id))
     ORDER BY product.category, product.name, product.id LIMIT ${MENU_ITEMS_MAX}
   ) AS offer ON true
   LEFT JOIN (
     SELECT product_id, sum(available) AS fresh, min(stale_at) AS earliest_stale_at
     FROM menu_stock WHERE site_id = $1 AND (stale_at IS NULL OR stale_at > $2) GROUP BY product_id
   ) AS shelf ON shelf.product_id = offer.id
   WHERE site.id = $1 ORDER BY offer.category, offer.name, offer.id`,
);

type MenuRow = SiteHours & {
  /** null: the site sells nothing; its one row tells only its hours. */
  readonly id: string | null;
  readonly name: string;
  readonly category: string;
  readonly description: string | null;
  readonly price: number;
  readonly currency: string;
  readonly stock: StockKind;
  readonly closingDiscountPercent: number;
  readonly variations: readonly VariationRow[];
  readonly fresh: number;
  readonly earliestStaleAt: Instant | null;
};

export type ShelvedMenu = {
  readonly hours: SiteHours;
  readonly offers: readonly Offer[];
  /** When the first unit that was counted goes stale; null where none does. */
  readonly earliestStaleAt: Instant | null;
};

/** What a site offers, counting units that are fresh after `freshAfter` only; undefined where there is no such site. */
export async function readShelvedMenu(
  db: Query,
  siteId: string,
  freshAfter: Instant,
): Promise<ShelvedMenu | undefined> {
  const rows = await db.query<MenuRow>(MENU, [siteId, formatInstant(freshAfter)]);
  const [first] = rows;
  if (first === undefined) return undefined;
  const { timeZone, opensAt, closesAt } = first;
  const staleAts = rows.flatMap(({ earliestStaleAt }) => (earliestStaleAt === null ? [] : [earliestStaleAt]));
  return {
    hours: { timeZone, opensAt, closesAt },
    offers: rows.flatMap((row) => (row.id === null ? [] : [{ ...offerFromRow(row), id: row.id }])),
    earliestStaleAt: staleAts.length === 0 ? null : instant(Math.min(...staleAts)),
  };
}

function offerFromRow(row: MenuRow): Omit<Offer, 'id'> {
  const { name, category, description, price, currency, stock, closingDiscountPercent, variations, fresh } = row;
  return {
    ...{ name, category, description, stock, closingDiscountPercent, fresh },
    price: money(price, currency),
    variations: variationsFromRows(variations, currency),
  };
}
