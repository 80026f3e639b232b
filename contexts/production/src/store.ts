import type { ProductDefined, SiteDefined } from '@provender/contracts';
import { formatInstant, type Instant, money, SECOND } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Batch } from './domain/batch.ts';
import type { KnownProduct, KnownSite } from './domain/known.ts';
import type { Plan, Schedule } from './domain/schedule.ts';

const SITE_COLUMNS = `site.id, site.kind, site.time_zone AS "timeZone", site.opens_at AS "opensAt",
  site.closes_at AS "closesAt"`;
const PRODUCT_COLUMNS = `product.id, product.stock, product.shelf_life_minutes AS "shelfLifeMinutes",
  product.keeps_overnight AS "keepsOvernight", product.unit_cost AS "unitCost", product.currency, product.withdrawn`;

// FOR SHARE: a change of hours or a withdrawal waits until a schedule that was decided on it is there to be found.
const SITE_SHARED = statement('site-shared', `SELECT ${SITE_COLUMNS} FROM sites AS site WHERE id = $1 FOR SHARE`);
const PRODUCT_SHARED = statement(
  'product-shared',
  `SELECT ${PRODUCT_COLUMNS} FROM products AS product WHERE id = $1 FOR SHARE`,
);
const SITES_LOCKED = statement(
  'sites-locked',
  `SELECT ${SITE_COLUMNS} FROM sites AS site WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`,
);
const UPSERT_SITES = statement(
  'upsert-sites',
  `INSERT INTO sites (id, kind, time_zone, opens_at, closes_at)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
   ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, time_zone = excluded.time_zone, opens_at = excluded.opens_at,
     closes_at = excluded.closes_at`,
);
const UPSERT_PRODUCTS = statement(
  'upsert-products',
  `INSERT INTO products (id, stock, shelf_life_minutes, keeps_overnight, unit_cost, currency)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[], $5::bigint[], $6::text[])
   ON CONFLICT (id) DO UPDATE SET stock = excluded.stock, shelf_life_minutes = excluded.shelf_life_minutes,
     keeps_overnight = excluded.keeps_overnight, unit_cost = excluded.unit_cost, currency = excluded.currency`,
);
const WITHDRAW_PRODUCTS = statement(
  'withdraw-products',
  'UPDATE products SET withdrawn = true WHERE id = ANY($1::uuid[])',
);

type ProductRow = Omit<KnownProduct, 'unitCost'> & { readonly unitCost: number; readonly currency: string };

function productFromRow({ unitCost, currency, ...rest }: ProductRow): KnownProduct {
  return { ...rest, unitCost: money(unitCost, currency) };
}

/** A site, whose hours stay as they are until the transaction ends. */
export async function readSite(db: Query, id: string): Promise<KnownSite | undefined> {
  return (await db.query<KnownSite>(SITE_SHARED, [id]))[0];
}

/** A product that is not withdrawn, nor will be until the transaction ends. */
export async function readProduct(db: Query, id: string): Promise<KnownProduct | undefined> {
  const [row] = await db.query<ProductRow>(PRODUCT_SHARED, [id]);
  return row === undefined || row.withdrawn ? undefined : productFromRow(row);
}

/** The sites as they were known until now, locked for the change that is about to be heard. */
export function lockSites(db: Query, ids: readonly string[]): Promise<KnownSite[]> {
  return db.query<KnownSite>(SITES_LOCKED, [ids]);
}

export async function saveSites(db: Query, sites: readonly SiteDefined[]): Promise<void> {
  await db.query(UPSERT_SITES, [
    sites.map(({ siteId }) => siteId),
    sites.map(({ kind }) => kind),
    sites.map(({ timeZone }) => timeZone),
    sites.map(({ opensAt }) => opensAt),
    sites.map(({ closesAt }) => closesAt),
  ]);
}

export async function saveProducts(db: Query, products: readonly ProductDefined[]): Promise<void> {
  await db.query(UPSERT_PRODUCTS, [
    products.map(({ productId }) => productId),
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

const SCHEDULE_COLUMNS = `schedule.id, schedule.site_id AS "siteId", schedule.product_id AS "productId",
  schedule.every, schedule.every_seconds AS "everySeconds", schedule.quantity,
  schedule.settled_until AS "settledUntil"`;

const SCHEDULE = statement(
  'schedule',
  `SELECT ${SCHEDULE_COLUMNS} FROM schedules AS schedule WHERE id = $1 AND ended_at IS NULL`,
);
const KNOWN_SCHEDULE = statement(
  'known-schedule',
  `SELECT ${SCHEDULE_COLUMNS} FROM schedules AS schedule WHERE id = $1`,
);
const SCHEDULES = statement(
  'schedules',
  `SELECT ${SCHEDULE_COLUMNS} FROM schedules AS schedule
   WHERE ended_at IS NULL AND ($3::uuid IS NULL OR site_id = $3) AND ($2::uuid IS NULL OR id < $2)
   ORDER BY id DESC LIMIT $1`,
);
const INSERT_SCHEDULE = statement(
  'insert-schedule',
  `INSERT INTO schedules (id, site_id, product_id, every, every_seconds, quantity, settled_until)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
const UPDATE_SCHEDULE = statement(
  'update-schedule',
  'UPDATE schedules SET every = $2, every_seconds = $3, quantity = $4 WHERE id = $1',
);
const END_SCHEDULE = statement(
  'end-schedule',
  'UPDATE schedules SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id',
);
const END_SCHEDULES_OF_PRODUCTS = statement(
  'end-schedules-of-products',
  'UPDATE schedules SET ended_at = $2 WHERE product_id = ANY($1::uuid[]) AND ended_at IS NULL',
);
const SETTLE_SCHEDULES = statement(
  'settle-schedules',
  'UPDATE schedules SET settled_until = $2 WHERE id = ANY($1::uuid[])',
);
const SCHEDULES_OF_SITES = statement(
  'schedules-of-sites',
  'SELECT id FROM schedules WHERE site_id = ANY($1::uuid[]) AND ended_at IS NULL ORDER BY id',
);

// The schedule is locked, so that whoever bakes it, changes it or ends it takes turns; site and product are only read.
const PLANS_LOCKED = statement(
  'plans-locked',
  `SELECT ${SCHEDULE_COLUMNS}, site.kind, site.time_zone AS "timeZone", site.opens_at AS "opensAt",
     site.closes_at AS "closesAt", product.stock, product.shelf_life_minutes AS "shelfLifeMinutes",
     product.keeps_overnight AS "keepsOvernight", product.unit_cost AS "unitCost", product.currency, product.withdrawn
   FROM schedules AS schedule
   JOIN sites AS site ON site.id = schedule.site_id
   JOIN products AS product ON product.id = schedule.product_id
   WHERE schedule.id = ANY($1::uuid[]) AND schedule.ended_at IS NULL ORDER BY schedule.id FOR UPDATE OF schedule`,
);

type ScheduleRow = Omit<Schedule, 'everyMilliseconds'> & { readonly everySeconds: number };
type PlanRow = ScheduleRow & Omit<KnownSite, 'id'> & Omit<ProductRow, 'id'>;

function scheduleFromRow({ everySeconds, ...row }: ScheduleRow): Schedule {
  const { id, siteId, productId, every, quantity, settledUntil } = row;
  return { id, siteId, productId, every, everyMilliseconds: everySeconds * SECOND, quantity, settledUntil };
}

function planFromRow(row: PlanRow): Plan {
  const { kind, timeZone, opensAt, closesAt, siteId, productId } = row;
  const { stock, shelfLifeMinutes, keepsOvernight, unitCost, currency, withdrawn } = row;
  return {
    schedule: scheduleFromRow(row),
    site: { id: siteId, kind, timeZone, opensAt, closesAt },
    product: productFromRow({
      ...{ id: productId, stock, shelfLifeMinutes, keepsOvernight, unitCost, currency, withdrawn },
    }),
  };
}

/** A schedule that has not ended. */
export async function readSchedule(db: Query, id: string): Promise<Schedule | undefined> {
  const [row] = await db.query<ScheduleRow>(SCHEDULE, [id]);
  return row === undefined ? undefined : scheduleFromRow(row);
}

/** A schedule, ended or not. */
export async function readKnownSchedule(db: Query, id: string): Promise<Schedule | undefined> {
  const [row] = await db.query<ScheduleRow>(KNOWN_SCHEDULE, [id]);
  return row === undefined ? undefined : scheduleFromRow(row);
}

export type SchedulePaging = { readonly limit: number; readonly after?: readonly [string]; readonly siteId?: string };

/** Newest first; one row more than the limit, so that the last page is known as such. */
export async function listSchedules(db: Query, { limit, after, siteId }: SchedulePaging): Promise<Schedule[]> {
  const rows = await db.query<ScheduleRow>(SCHEDULES, [limit + 1, after?.[0] ?? null, siteId ?? null]);
  return rows.map(scheduleFromRow);
}

/** Living schedules with what is known of their sites and products, locked until the transaction ends. */
export async function lockPlans(db: Query, scheduleIds: readonly string[]): Promise<Plan[]> {
  return (await db.query<PlanRow>(PLANS_LOCKED, [scheduleIds])).map(planFromRow);
}

export async function scheduleIdsOfSites(db: Query, siteIds: readonly string[]): Promise<string[]> {
  return (await db.query<{ id: string }>(SCHEDULES_OF_SITES, [siteIds])).map(({ id }) => id);
}

export async function insertSchedule(db: Query, schedule: Schedule): Promise<void> {
  const { id, siteId, productId, every, everyMilliseconds, quantity, settledUntil } = schedule;
  const values = [id, siteId, productId, every, everyMilliseconds / SECOND, quantity, formatInstant(settledUntil)];
  await db.query(INSERT_SCHEDULE, values);
}

export async function updateSchedule(db: Query, schedule: Schedule): Promise<void> {
  const { id, every, everyMilliseconds, quantity } = schedule;
  await db.query(UPDATE_SCHEDULE, [id, every, everyMilliseconds / SECOND, quantity]);
}

/** Ends a schedule. Gives false where there is none that has not ended. */
export async function endScheduleRow(db: Query, id: string, at: Instant): Promise<boolean> {
  return (await db.query(END_SCHEDULE, [id, formatInstant(at)])).length === 1;
}

export async function endSchedulesOfProducts(db: Query, productIds: readonly string[], at: Instant): Promise<void> {
  await db.query(END_SCHEDULES_OF_PRODUCTS, [productIds, formatInstant(at)]);
}

export async function settleSchedules(db: Query, ids: readonly string[], until: Instant): Promise<void> {
  await db.query(SETTLE_SCHEDULES, [ids, formatInstant(until)]);
}

const BATCH_COLUMNS = `id, site_id AS "siteId", product_id AS "productId", quantity, made_at AS "madeAt",
  schedule_id AS "scheduleId"`;

// A slot that has its batch already keeps it: nothing is baked twice, whoever comes again.
const INSERT_BATCHES = statement(
  'insert-batches',
  `INSERT INTO batches (id, site_id, product_id, quantity, made_at, schedule_id)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::timestamptz[], $6::uuid[])
   ON CONFLICT DO NOTHING RETURNING id`,
);
const BATCHES = statement(
  'batches',
  `SELECT ${BATCH_COLUMNS} FROM batches
   WHERE $2::timestamptz IS NULL OR (made_at, id) < ($2, $3::uuid) ORDER BY made_at DESC, id DESC LIMIT $1`,
);
const BATCHES_OF_SITE = statement(
  'batches-of-site',
  `SELECT ${BATCH_COLUMNS} FROM batches
   WHERE site_id = $4 AND ($2::timestamptz IS NULL OR (made_at, id) < ($2, $3::uuid))
   ORDER BY made_at DESC, id DESC LIMIT $1`,
);
const BATCH = statement('batch', `SELECT ${BATCH_COLUMNS} FROM batches WHERE id = $1`);

/** Writes batches down; gives those that are new. */
export async function insertBatches(db: Query, batches: readonly Batch[]): Promise<Batch[]> {
  const rows = await db.query<{ id: string }>(INSERT_BATCHES, [
    batches.map(({ id }) => id),
    batches.map(({ siteId }) => siteId),
    batches.map(({ productId }) => productId),
    batches.map(({ quantity }) => quantity),
    batches.map(({ madeAt }) => formatInstant(madeAt)),
    batches.map(({ scheduleId }) => scheduleId),
  ]);
  const inserted = new Set(rows.map(({ id }) => id));
  return batches.filter(({ id }) => inserted.has(id));
}

export async function readBatch(db: Query, id: string): Promise<Batch | undefined> {
  return (await db.query<Batch>(BATCH, [id]))[0];
}

export type BatchPaging = {
  readonly limit: number;
  readonly after?: readonly [Instant, string];
  readonly siteId?: string;
};

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listBatches(db: Query, { limit, after, siteId }: BatchPaging): Promise<Batch[]> {
  const values = [limit + 1, after === undefined ? null : formatInstant(after[0]), after?.[1] ?? null];
  if (siteId === undefined) return db.query<Batch>(BATCHES, values);
  return db.query<Batch>(BATCHES_OF_SITE, [...values, siteId]);
}
