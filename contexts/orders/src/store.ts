import type { OrderStatus, ProductDefined, SiteDefined } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { HistoryEntry, Order, Rejection } from './domain/order.ts';
import type { PlacementRefusal, Product } from './domain/placement.ts';

// All SQL of orders. Sets go in as arrays, one statement a set whatever its size.

/** Hours and currency, as the rules of a site's day need them. */
export type SiteRow = {
  readonly id: string;
  readonly timeZone: string;
  readonly opensAt: string;
  readonly closesAt: string;
  readonly currency: string;
};

const READ_SITES = statement(
  'read-sites',
  `SELECT id, time_zone AS "timeZone", opens_at AS "opensAt", closes_at AS "closesAt", currency
   FROM orders.sites WHERE id = ANY($1::uuid[])`,
);

export async function readSites(query: Query, ids: readonly string[]): Promise<Map<string, SiteRow>> {
  return byId(await query.query<SiteRow>(READ_SITES, [ids]));
}

const READ_PRICE_LIST = statement(
  'read-price-list',
  `SELECT id, name, price_amount AS "priceAmount", currency, stock,
     closing_discount_percent AS "closingDiscountPercent", variations
   FROM orders.products WHERE id = ANY($1::uuid[]) AND NOT is_withdrawn`,
);

export async function readPriceList(query: Query, ids: readonly string[]): Promise<Map<string, Product>> {
  return byId(await query.query<Product>(READ_PRICE_LIST, [ids]));
}

const SAVE_SITES = statement(
  'save-sites',
  `INSERT INTO orders.sites (id, time_zone, opens_at, closes_at, currency)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
   ON CONFLICT (id) DO UPDATE SET time_zone = excluded.time_zone, opens_at = excluded.opens_at,
     closes_at = excluded.closes_at, currency = excluded.currency`,
);

/** Takes each site once. */
export async function saveSites(query: Query, sites: readonly SiteDefined[]): Promise<void> {
  await query.query(SAVE_SITES, [
    sites.map((site) => site.siteId),
    sites.map((site) => site.timeZone),
    sites.map((site) => site.opensAt),
    sites.map((site) => site.closesAt),
    sites.map((site) => site.currency),
  ]);
}

// Only ever moves a closing forwards in time to an earlier moment: one that is due and has not run yet must still run,
// and one that runs too early finds nothing to close and sets itself right.
const SCHEDULE_CLOSINGS = statement(
  'schedule-closings',
  `INSERT INTO orders.timers (name, key, due_at)
   SELECT $1, closing.site_id, closing.due_at FROM unnest($2::text[], $3::timestamptz[]) AS closing (site_id, due_at)
   ON CONFLICT (name, key) DO UPDATE SET due_at = least(timers.due_at, excluded.due_at)`,
);

export type Closing = { readonly siteId: string; readonly dueAt: Instant };

export async function scheduleClosings(query: Query, job: string, closings: readonly Closing[]): Promise<void> {
  const dueAt = closings.map((closing) => formatInstant(closing.dueAt));
  await query.query(SCHEDULE_CLOSINGS, [job, closings.map((closing) => closing.siteId), dueAt]);
}

const SAVE_PRODUCTS = statement(
  'save-products',
  `INSERT INTO orders.products (id, name, price_amount, currency, stock, closing_discount_percent, variations)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::integer[], $7::jsonb[])
   ON CONFLICT (id) DO UPDATE SET name = excluded.name, price_amount = excluded.price_amount,
     currency = excluded.currency, stock = excluded.stock,
     closing_discount_percent = excluded.closing_discount_percent, variations = excluded.variations`,
);

/** Takes each product once. */
export async function saveProducts(query: Query, products: readonly ProductDefined[]): Promise<void> {
  await query.query(SAVE_PRODUCTS, [
    products.map((product) => product.productId),
    products.map((product) => product.name),
    products.map((product) => product.price.amount),
    products.map((product) => product.price.currency),
    products.map((product) => product.stock),
    products.map((product) => product.closingDiscountPercent),
    products.map((product) => JSON.stringify(product.variations)),
  ]);
}

const WITHDRAW_PRODUCTS = statement(
  'withdraw-products',
  'UPDATE orders.products SET is_withdrawn = true WHERE id = ANY($1::uuid[])',
);

export async function withdrawProducts(query: Query, ids: readonly string[]): Promise<void> {
  await query.query(WITHDRAW_PRODUCTS, [ids]);
}

/** The caller's key for a placing, with what binds it to one request. */
export type PlacementKey = { readonly key: string; readonly scope: string; readonly requestHash: Buffer };

// Orders' lines go in as one text with a mark in between that JSON never has: quoting them for an array and reading
// them out of it cost 14 µs of both processors for 500 bytes, this costs 4.
const BETWEEN_LINES = '\u0001';

export type NewOrder = { readonly order: Order; readonly key: PlacementKey | undefined };

// An order whose key has been refused before, or has placed another order, is not inserted; nor is one that is there
// already, when a set is run again because nobody knows whether it was committed. Looking first would cost every order
// a look for the sake of the few repeats.
const INSERT_ORDERS = statement(
  'insert-orders',
  `INSERT INTO orders.orders
     (id, site_id, customer_id, placed_by, channel, tender, received_amount, status, lines, total_amount, currency,
      note, placed_at, updated_at, history, idempotency_key, request_hash)
   SELECT id, site_id, customer_id, placed_by, channel, tender, received_amount, 'placed', lines::json, total_amount,
     currency, note, $14::text::timestamptz, $14::text::timestamptz,
     jsonb_build_array(jsonb_build_object('status', 'placed', 'at', $14::text, 'by', placed_by)), key, request_hash
   FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[],
       string_to_array($8::text, E'\\x01'), $9::bigint[], $10::text[], $11::text[], $12::text[], $13::bytea[],
       $15::text[])
     AS placed (id, site_id, customer_id, placed_by, channel, tender, received_amount, lines,
       total_amount, currency, note, key, request_hash, scope)
   WHERE NOT EXISTS
     (SELECT FROM orders.idempotency_keys AS refused WHERE refused.scope = placed.scope AND refused.key = placed.key)
   ON CONFLICT DO NOTHING RETURNING id`,
);

/** Inserts orders that are all placed at one moment. Gives the ids of those that were inserted. */
export async function insertOrders(query: Query, placed: readonly NewOrder[], at: Instant): Promise<Set<string>> {
  const rows = await query.query<{ id: string }>(INSERT_ORDERS, [
    placed.map(({ order }) => order.id),
    placed.map(({ order }) => order.siteId),
    placed.map(({ order }) => order.customerId),
    placed.map(({ order }) => order.placedBy),
    placed.map(({ order }) => order.channel),
    placed.map(({ order }) => order.tender),
    placed.map(({ order }) => order.receivedAmount),
    placed.map(({ order }) => JSON.stringify(order.lines)).join(BETWEEN_LINES),
    placed.map(({ order }) => order.totalAmount),
    placed.map(({ order }) => order.currency),
    placed.map(({ order }) => order.note),
    placed.map(({ key }) => key?.key ?? null),
    placed.map(({ key }) => key?.requestHash ?? null),
    formatInstant(at),
    placed.map(({ key }) => key?.scope ?? null),
  ]);
  return new Set(rows.map((row) => row.id));
}

export type KeyOfCaller = PlacementKey & { readonly placedBy: string };
export type KeptRefusal = { readonly key: KeyOfCaller; readonly refusal: PlacementRefusal; readonly status: number };

const KEEP_REFUSALS = statement(
  'keep-refusals',
  `INSERT INTO orders.idempotency_keys (scope, key, request_hash, status, body, headers)
   SELECT scope, key, request_hash, status, body, '{}'
   FROM unnest($1::text[], $2::text[], $3::bytea[], $4::smallint[], $5::text[], $6::uuid[])
     AS refused (scope, key, request_hash, status, body, placed_by)
   WHERE NOT EXISTS (SELECT FROM orders.orders
     WHERE orders.placed_by = refused.placed_by AND orders.idempotency_key = refused.key)
   ON CONFLICT DO NOTHING RETURNING scope, key`,
);

/**
 * Binds keys to refusals, so that a repeat is refused alike; a key that has placed an order or been refused stays so.
 * Gives the keys that were bound now.
 */
export async function keepRefusals(query: Query, refusals: readonly KeptRefusal[]): Promise<Set<string>> {
  const rows = await query.query<{ scope: string; key: string }>(KEEP_REFUSALS, [
    refusals.map(({ key }) => key.scope),
    refusals.map(({ key }) => key.key),
    refusals.map(({ key }) => key.requestHash),
    refusals.map(({ status }) => status),
    refusals.map(({ refusal }) => JSON.stringify(refusal)),
    refusals.map(({ key }) => key.placedBy),
  ]);
  return new Set(rows.map(keyName));
}

/** Scope and key in one text, for maps. */
export function keyName({ scope, key }: { readonly scope: string; readonly key: string }): string {
  return `${scope}\n${key}`;
}

const READ_REFUSALS = statement(
  'read-refusals',
  `SELECT kept.scope, kept.key, kept.request_hash AS "requestHash", kept.body
   FROM unnest($1::text[], $2::text[]) AS wanted (scope, key)
   JOIN orders.idempotency_keys AS kept ON kept.scope = wanted.scope AND kept.key = wanted.key`,
);

type RefusalRow = { readonly scope: string; readonly key: string; readonly requestHash: Buffer; readonly body: string };
export type FoundRefusal = { readonly requestHash: Buffer; readonly refusal: PlacementRefusal };

/** What keys were refused with, by `keyName`. */
export async function readRefusals(query: Query, keys: readonly PlacementKey[]): Promise<Map<string, FoundRefusal>> {
  const rows = await query.query<RefusalRow>(READ_REFUSALS, [
    keys.map((each) => each.scope),
    keys.map((each) => each.key),
  ]);
  // Only `keepRefusals` writes under the scope of placing an order.
  const found = rows.map((row): [string, FoundRefusal] => [
    keyName(row),
    { requestHash: row.requestHash, refusal: JSON.parse(row.body) as PlacementRefusal },
  ]);
  return new Map(found);
}

const ORDER_COLUMNS = `id, site_id AS "siteId", customer_id AS "customerId", placed_by AS "placedBy", channel, tender,
  received_amount AS "receivedAmount", status, reason, rejection, lines, total_amount AS "totalAmount", currency, note,
  placed_at AS "placedAt", history`;

const READ_ORDERS_BY_KEY = statement(
  'read-orders-by-key',
  `SELECT ${ORDER_COLUMNS}, idempotency_key AS key, request_hash AS "requestHash" FROM orders.orders
   WHERE (placed_by, idempotency_key) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
     AND idempotency_key IS NOT NULL`,
);

export type KeyedOrder = Order & { readonly key: string; readonly requestHash: Buffer };

export async function readOrdersByKey(query: Query, keys: readonly KeyOfCaller[]): Promise<KeyedOrder[]> {
  return query.query<KeyedOrder>(READ_ORDERS_BY_KEY, [keys.map((each) => each.placedBy), keys.map((each) => each.key)]);
}

const READ_ORDERS = statement('read-orders', `SELECT ${ORDER_COLUMNS} FROM orders.orders WHERE id = ANY($1::uuid[])`);

export async function readOrders(query: Query, ids: readonly string[]): Promise<Map<string, Order>> {
  return byId(await query.query<Order>(READ_ORDERS, [ids]));
}

const READ_DECIDED_ORDERS = statement(
  'read-decided-orders',
  `SELECT ${ORDER_COLUMNS} FROM orders.orders WHERE id = ANY($1::uuid[]) AND status <> 'placed'`,
);

/** Those of the orders that are placed no more: many are waited for, and asked about often, and few are decided yet. */
export async function readDecidedOrders(query: Query, ids: readonly string[]): Promise<readonly Order[]> {
  return query.query<Order>(READ_DECIDED_ORDERS, [ids]);
}

// Two people who act on one order at once take turns here; the second sees what the first made of it.
const LOCK_ORDERS = statement(
  'lock-orders',
  `SELECT ${ORDER_COLUMNS} FROM orders.orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`,
);

export async function lockOrders(query: Query, ids: readonly string[]): Promise<Map<string, Order>> {
  return byId(await query.query<Order>(LOCK_ORDERS, [ids]));
}

const LOCK_AT_CLOSING = statement(
  'lock-orders-at-closing',
  `SELECT ${ORDER_COLUMNS} FROM orders.orders
   WHERE site_id = $1 AND is_open AND status = ANY($2::text[]) AND placed_at < $3 ORDER BY id LIMIT $4 FOR UPDATE`,
);

/** Locks the oldest orders in these statuses that were placed before a closing. */
export async function lockAtClosing(
  query: Query,
  siteId: string,
  statuses: readonly OrderStatus[],
  placedBefore: Instant,
  ordersMax: number,
): Promise<Order[]> {
  return query.query<Order>(LOCK_AT_CLOSING, [siteId, statuses, formatInstant(placedBefore), ordersMax]);
}

const COUNT_UNDECIDED = statement(
  'count-undecided-orders',
  `SELECT count(*) AS count FROM orders.orders
   WHERE site_id = $1 AND is_open AND status = 'placed' AND placed_at < $2`,
);

export async function countUndecided(query: Query, siteId: string, placedBefore: Instant): Promise<number> {
  const [row] = await query.query<{ count: number }>(COUNT_UNDECIDED, [siteId, formatInstant(placedBefore)]);
  return row?.count ?? 0;
}

/** One step of one order: it is taken only if the order still stands where `from` says. */
export type Move = {
  readonly id: string;
  readonly from: OrderStatus;
  readonly entry: HistoryEntry;
  readonly rejection?: Rejection;
};

const MOVE_ORDERS = statement(
  'move-orders',
  `UPDATE orders.orders SET status = move.status, reason = move.reason,
     rejection = coalesce(move.rejection, orders.rejection), updated_at = move.at::timestamptz,
     history = orders.history || jsonb_strip_nulls(
       jsonb_build_object('status', move.status, 'at', move.at, 'by', move.by, 'reason', move.reason))
   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
     AS move (id, before, status, at, by, reason, rejection)
   WHERE orders.id = move.id AND orders.status = move.before RETURNING orders.id`,
);

/** Takes at most one step of each order. Gives the ids of the orders that took theirs. */
export async function moveOrders(query: Query, moves: readonly Move[]): Promise<Set<string>> {
  const rows = await query.query<{ id: string }>(MOVE_ORDERS, [
    moves.map((move) => move.id),
    moves.map((move) => move.from),
    moves.map((move) => move.entry.status),
    moves.map((move) => move.entry.at),
    moves.map((move) => move.entry.by ?? null),
    moves.map((move) => move.entry.reason ?? null),
    moves.map((move) => (move.rejection === undefined ? null : JSON.stringify(move.rejection))),
  ]);
  return new Set(rows.map((row) => row.id));
}

export type OrderFilter = {
  readonly status?: OrderStatus | undefined;
  readonly siteId?: string | undefined;
  readonly customerId?: string | undefined;
};

/** Newest first. Each list names the index that carries it; what else is asked for is filtered on the way. */
const LIST = {
  ofCustomer: list('of-customer', 'customer_id = $4 AND ($5::uuid IS NULL OR site_id = $5)'),
  open: list('open', 'is_open AND ($5::uuid IS NULL OR site_id = $5) AND $4::uuid IS NULL'),
  withReason: list('with-reason', 'reason IS NOT NULL AND site_id = $5 AND $4::uuid IS NULL'),
  ofSite: list('of-site', 'site_id = $5 AND $4::uuid IS NULL'),
  all: list('all', '$4::uuid IS NULL AND $5::uuid IS NULL'),
} as const;

function list(name: string, condition: string) {
  return statement(
    `list-orders-${name}`,
    `SELECT ${ORDER_COLUMNS} FROM orders.orders
     WHERE ${condition} AND ($1::text IS NULL OR status = $1) AND id < $2::uuid ORDER BY id DESC LIMIT $3`,
  );
}

const OPEN_STATUSES = new Set<OrderStatus>(['placed', 'waiting', 'preparation', 'ready']);
const AFTER_ALL = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

function listFor({ status, siteId, customerId }: OrderFilter) {
  if (customerId !== undefined) return LIST.ofCustomer;
  if (status !== undefined && OPEN_STATUSES.has(status)) return LIST.open;
  if (siteId === undefined) return LIST.all;
  return status === 'cancelled' || status === 'rejected' ? LIST.withReason : LIST.ofSite;
}

/** Reads one row more than the page has, so that the last page is known as such. */
export async function listOrders(
  query: Query,
  filter: OrderFilter,
  page: { readonly limit: number; readonly after?: readonly [string] },
): Promise<Order[]> {
  const { status, siteId, customerId } = filter;
  const after = page.after?.[0] ?? AFTER_ALL;
  return query.query<Order>(listFor(filter), [
    status ?? null,
    after,
    page.limit + 1,
    customerId ?? null,
    siteId ?? null,
  ]);
}

function byId<Row extends { readonly id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}
