import type { NoticeKind, OrderPlaced, ProductDefined, Role, SiteDefined, UserRegistered } from '@provender/contracts';
import { type Instant, money } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Listener } from '../domain/audience.ts';
import { type Preferences, USUAL } from '../domain/preferences.ts';
import type { ShelfStep } from '../domain/shelf.ts';

const SAVE_PEOPLE = statement(
  'save-people',
  `INSERT INTO people (id, email, name, roles)
   SELECT id, email, name, ARRAY(SELECT json_array_elements_text(roles))
   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::json[]) AS said (id, email, name, roles)
   ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, roles = excluded.roles`,
);
const SAVE_ROLES = statement(
  'save-roles',
  `UPDATE people SET roles = ARRAY(SELECT json_array_elements_text(said.roles))
   FROM unnest($1::uuid[], $2::json[]) AS said (id, roles) WHERE people.id = said.id`,
);
const SAVE_SITES = statement(
  'save-sites',
  `INSERT INTO sites (id, name, time_zone, currency)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
   ON CONFLICT (id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency`,
);
const SAVE_PRODUCTS = statement(
  'save-products',
  `INSERT INTO products (id, name) SELECT * FROM unnest($1::uuid[], $2::text[])
   ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
);
const SAVE_ORDERS = statement(
  'save-orders',
  `INSERT INTO orders (id, site_id, customer_id, lines, total, currency, placed_at)
   SELECT id, site_id, customer_id, lines::json, total, currency, placed_at
   FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[])
     AS said (id, site_id, customer_id, lines, total, currency, placed_at)
   ON CONFLICT (id) DO NOTHING`,
);

/** Takes over people as they registered; the last word on somebody counts. */
export async function savePeople(tx: Query, said: readonly UserRegistered[]): Promise<void> {
  const people = latest(said, ({ userId }) => userId);
  if (people.length === 0) return;
  await tx.query(SAVE_PEOPLE, [
    people.map(({ userId }) => userId),
    people.map(({ email }) => email),
    people.map(({ name }) => name),
    people.map(({ roles }) => JSON.stringify(roles)),
  ]);
}

export async function saveRoles(
  tx: Query,
  said: readonly { readonly userId: string; readonly roles: readonly Role[] }[],
): Promise<void> {
  const people = latest(said, ({ userId }) => userId);
  if (people.length === 0) return;
  await tx.query(SAVE_ROLES, [people.map(({ userId }) => userId), people.map(({ roles }) => JSON.stringify(roles))]);
}

export async function saveSites(tx: Query, said: readonly SiteDefined[]): Promise<void> {
  const sites = latest(said, ({ siteId }) => siteId);
  if (sites.length === 0) return;
  await tx.query(SAVE_SITES, [
    sites.map(({ siteId }) => siteId),
    sites.map(({ name }) => name),
    sites.map(({ timeZone }) => timeZone),
    sites.map(({ currency }) => currency),
  ]);
}

export async function saveProducts(tx: Query, said: readonly ProductDefined[]): Promise<void> {
  const products = latest(said, ({ productId }) => productId);
  if (products.length === 0) return;
  await tx.query(SAVE_PRODUCTS, [products.map(({ productId }) => productId), products.map(({ name }) => name)]);
}

/** Keeps what a mail about an order will need, of orders that somebody gets mail about. */
export async function saveOrders(tx: Query, said: readonly OrderPlaced[]): Promise<void> {
  const orders = said.filter(({ customerId }) => customerId !== undefined);
  if (orders.length === 0) return;
  await tx.query(SAVE_ORDERS, [
    orders.map(({ orderId }) => orderId),
    orders.map(({ siteId }) => siteId),
    orders.map(({ customerId }) => customerId),
    orders.map(({ lines }) => JSON.stringify(lines)),
    orders.map(({ total }) => total.amount),
    orders.map(({ total }) => total.currency),
    orders.map(({ placedAt }) => placedAt),
  ]);
}

function latest<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

const LISTENER_COLUMNS = `people.id, people.email, people.roles, chosen.email AS "byEmail",
  chosen.webhook AS "byWebhook", chosen.waste_limit AS "wasteLimit", chosen.waste_currency AS "wasteCurrency"`;
const LISTENERS = statement(
  'listeners',
  `SELECT ${LISTENER_COLUMNS} FROM people LEFT JOIN preferences AS chosen ON chosen.user_id = people.id
   WHERE people.id = ANY($1::uuid[])`,
);
const LISTENERS_OF_THE_HOUSE = statement(
  'listeners-of-the-house',
  `SELECT ${LISTENER_COLUMNS} FROM people LEFT JOIN preferences AS chosen ON chosen.user_id = people.id
   WHERE people.roles && ARRAY['staff', 'manager']`,
);

type ChosenRow = {
  readonly byEmail: readonly NoticeKind[] | null;
  readonly byWebhook: readonly NoticeKind[] | null;
  readonly wasteLimit: number | null;
  readonly wasteCurrency: string | null;
};
type ListenerRow = { readonly id: string; readonly email: string; readonly roles: readonly Role[] } & ChosenRow;

export function preferencesFromRow({ byEmail, byWebhook, wasteLimit, wasteCurrency }: ChosenRow): Preferences {
  return {
    email: byEmail ?? USUAL.email,
    webhook: byWebhook ?? USUAL.webhook,
    wasteLimit: wasteLimit === null || wasteCurrency === null ? undefined : money(wasteLimit, wasteCurrency),
  };
}

function listenerFromRow(row: ListenerRow): Listener {
  return { id: row.id, email: row.email, roles: row.roles, preferences: preferencesFromRow(row) };
}

/** These people, with what they want to hear of. */
export async function readListeners(tx: Query, ids: readonly string[]): Promise<Listener[]> {
  return (await tx.query<ListenerRow>(LISTENERS, [ids])).map(listenerFromRow);
}

/** Everybody who works here. */
export async function readListenersOfTheHouse(tx: Query): Promise<Listener[]> {
  return (await tx.query<ListenerRow>(LISTENERS_OF_THE_HOUSE)).map(listenerFromRow);
}

const CHANGE_STOCK = statement(
  'change-stock',
  // In the order of the key, so that two who change the same shelves wait for each other and do not lock up.
  `INSERT INTO stock (site_id, product_id, available)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS step (site_id, product_id, delta) ORDER BY 1, 2
   ON CONFLICT (site_id, product_id) DO UPDATE SET available = stock.available + excluded.available
   RETURNING site_id AS "siteId", product_id AS "productId", available`,
);

export type StockCount = { readonly siteId: string; readonly productId: string; readonly available: number };

/** Changes how many are free; gives how many there are then. */
export function changeStock(tx: Query, steps: readonly ShelfStep[]): Promise<StockCount[]> {
  return tx.query<StockCount>(CHANGE_STOCK, [
    steps.map(({ siteId }) => siteId),
    steps.map(({ productId }) => productId),
    steps.map(({ delta }) => delta),
  ]);
}

const SITES = statement('sites', 'SELECT id, time_zone AS "timeZone", currency FROM sites WHERE id = ANY($1::uuid[])');

export type KnownSite = { readonly id: string; readonly timeZone: string; readonly currency: string };

export async function readSites(tx: Query, ids: readonly string[]): Promise<Map<string, KnownSite>> {
  return new Map((await tx.query<KnownSite>(SITES, [ids])).map((site) => [site.id, site]));
}

const ADD_WASTE = statement(
  'add-waste',
  `INSERT INTO waste_of_days (site_id, day, cost, currency) VALUES ($1, $2, $3, $4)
   ON CONFLICT (site_id, day) DO UPDATE SET cost = waste_of_days.cost + excluded.cost RETURNING cost`,
);

/** Adds to what was thrown out at a site on a day; gives what it has come to. */
export async function addWaste(
  tx: Query,
  { siteId, day, cost, currency }: { siteId: string; day: string; cost: number; currency: string },
): Promise<number> {
  const [row] = await tx.query<{ cost: number }>(ADD_WASTE, [siteId, day, cost, currency]);
  return row?.cost ?? 0;
}

const PURGE_ORDERS = statement(
  'purge-orders',
  'DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE placed_at < $1 ORDER BY placed_at LIMIT 50000)',
);
const PURGE_WASTE = statement('purge-waste', 'DELETE FROM waste_of_days WHERE day < $1');

/** Forgets orders and days that are long over. */
export async function purgeCopies(tx: Query, before: Instant): Promise<void> {
  const moment = new Date(before);
  await tx.query(PURGE_ORDERS, [moment]);
  await tx.query(PURGE_WASTE, [moment]);
}
