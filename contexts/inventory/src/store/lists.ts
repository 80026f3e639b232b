import type { StockLevel, UnitState, WasteReason } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, type Statement, statement } from '@provender/platform';
import type { Period } from '../domain/waste.ts';

// What people read of the shelf, and the units that they name.

const STOCK = statement(
  'stock',
  `WITH counted AS (
     SELECT product_id, 'available' AS state, count(*) AS quantity FROM units
     WHERE site_id = $1 AND is_available AND (stale_at IS NULL OR stale_at > $2) GROUP BY product_id
     UNION ALL
     SELECT unit.product_id, holds.state, count(*)
     FROM holds CROSS JOIN LATERAL find_units(holds.unit_ids) AS unit
     WHERE holds.site_id = $1 AND holds.state IN ('held', 'allocated') GROUP BY unit.product_id, holds.state
   )
   SELECT products.id AS "productId",
     coalesce(sum(quantity) FILTER (WHERE state = 'available'), 0)::integer AS available,
     coalesce(sum(quantity) FILTER (WHERE state = 'held'), 0)::integer AS held,
     coalesce(sum(quantity) FILTER (WHERE state = 'allocated'), 0)::integer AS allocated
   FROM products LEFT JOIN counted ON counted.product_id = products.id
   WHERE counted.product_id IS NOT NULL OR (NOT withdrawn AND EXISTS (
     SELECT FROM batches WHERE batches.site_id = $1 AND batches.product_id = products.id))
   GROUP BY products.id ORDER BY products.id`,
);

/** The levels of every product that a site has, or has had and may have again. */
export function readStock(db: Query, siteId: string, now: Instant): Promise<StockLevel[]> {
  return db.query<StockLevel>(STOCK, [siteId, formatInstant(now)]);
}

const UNIT_COLUMNS = `unit.id, unit.product_id AS "productId", unit.site_id AS "siteId", unit.batch_id AS "batchId",
  unit.made_at AS "madeAt", unit.stale_at AS "staleAt", unit.state, unit.order_id AS "orderId"`;
const NEWEST_FIRST = `ORDER BY unit.made_at DESC, unit.batch_id DESC, unit.id DESC LIMIT $1`;
const ASKED_FOR = `($5::uuid IS NULL OR unit.site_id = $5) AND ($6::uuid IS NULL OR unit.product_id = $6)
  AND ($7::text IS NULL OR unit.state = $7::unit_state)
  AND ($2::timestamptz IS NULL OR (unit.made_at, unit.batch_id, unit.id) < ($2, $3::uuid, $4::uuid))`;

// What is free, and what is in open holds, is little however much is behind it, and has small indexes.
const UNITS_ON_SHELF = statement(
  'units-on-shelf',
  `SELECT ${UNIT_COLUMNS} FROM units AS unit WHERE unit.is_available AND ${ASKED_FOR} ${NEWEST_FIRST}`,
);
const UNITS_IN_HOLDS = statement(
  'units-in-holds',
  `SELECT ${UNIT_COLUMNS} FROM holds CROSS JOIN LATERAL find_units(holds.unit_ids) AS unit
   WHERE holds.state IN ('held', 'allocated') AND holds.state = $7 AND ${ASKED_FOR} ${NEWEST_FIRST}`,
);

/** All others are found batch by batch, the newest first, each a stretch of the primary key. */
function unitsByBatch(name: string, batchesAskedFor: string): Statement {
  return statement(
    name,
    `SELECT ${UNIT_COLUMNS} FROM batches AS batch CROSS JOIN LATERAL (
       SELECT * FROM units
       WHERE units.batch_id = batch.id AND units.id BETWEEN batch.first_unit_id AND batch.last_unit_id
       ORDER BY units.id DESC
     ) AS unit
     WHERE ${batchesAskedFor} AND ($2::timestamptz IS NULL OR (batch.made_at, batch.id) <= ($2, $3::uuid))
       AND ${ASKED_FOR} ORDER BY batch.made_at DESC, batch.id DESC, unit.id DESC LIMIT $1`,
  );
}
const UNITS = unitsByBatch('units', '($6::uuid IS NULL OR batch.product_id = $6)');
const UNITS_OF_SITE = unitsByBatch(
  'units-of-site',
  'batch.site_id = $5 AND ($6::uuid IS NULL OR batch.product_id = $6)',
);

export type Unit = {
  readonly id: string;
  readonly productId: string;
  readonly siteId: string;
  readonly batchId: string;
  readonly madeAt: Instant;
  readonly staleAt: Instant | null;
  readonly state: UnitState;
  readonly orderId: string | null;
};

export type UnitPaging = {
  readonly limit: number;
  readonly after?: readonly [Instant, string, string];
  readonly siteId?: string;
  readonly productId?: string;
  readonly state?: UnitState;
};

function unitsStatement({ siteId, state }: UnitPaging): Statement {
  if (state === 'available') return UNITS_ON_SHELF;
  if (state === 'held' || state === 'allocated') return UNITS_IN_HOLDS;
  return siteId === undefined ? UNITS : UNITS_OF_SITE;
}

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listUnits(db: Query, paging: UnitPaging): Promise<Unit[]> {
  const { limit, after, siteId, productId, state } = paging;
  const [madeAt, batchId, id] = after ?? [];
  const place = [madeAt === undefined ? null : formatInstant(madeAt), batchId ?? null, id ?? null];
  const asked = [siteId ?? null, productId ?? null, state ?? null];
  return db.query<Unit>(unitsStatement(paging), [limit + 1, ...place, ...asked]);
}

const UNIT = statement('unit', `SELECT ${UNIT_COLUMNS} FROM units AS unit WHERE unit.id = $1`);
const STEPS = statement(
  'unit-steps',
  `SELECT step.state, step.at, step.order_id AS "orderId", step.reason
   FROM units CROSS JOIN LATERAL unnest(units.steps) WITH ORDINALITY AS step (state, at, order_id, reason, nth)
   WHERE units.id = $1 ORDER BY step.nth`,
);

export type Step = {
  readonly state: UnitState;
  readonly at: Instant;
  readonly orderId: string | null;
  readonly reason: string | null;
};

/** One unit with its history. */
export async function readUnit(
  db: Query,
  id: string,
): Promise<(Unit & { readonly steps: readonly Step[] }) | undefined> {
  const [[unit], steps] = await Promise.all([db.query<Unit>(UNIT, [id]), db.query<Step>(STEPS, [id])]);
  return unit === undefined ? undefined : { ...unit, steps };
}

// A unit that another transaction has locked is being taken from the shelf at this moment, though it is there to be
// read.
const LOCK_NAMED_UNITS = statement(
  'lock-named-units',
  `WITH free AS (
     SELECT id FROM units WHERE id = ANY($1::uuid[]) AND is_available FOR UPDATE SKIP LOCKED
   )
   SELECT unit.id, unit.state, free.id IS NOT NULL AS "isFree"
   FROM units AS unit LEFT JOIN free ON free.id = unit.id WHERE unit.id = ANY($1::uuid[])`,
);

export type NamedUnit = { readonly id: string; readonly state: UnitState; readonly isFree: boolean };

/** Units by their ids, with their states; the free ones are locked until the transaction ends. */
export function lockNamedUnits(db: Query, ids: readonly string[]): Promise<NamedUnit[]> {
  return db.query<NamedUnit>(LOCK_NAMED_UNITS, [ids]);
}

const WASTE = statement(
  'waste',
  `SELECT product_id AS "productId", reason, currency, sum(quantity)::integer AS units, sum(cost)::bigint AS cost
   FROM waste WHERE site_id = $1 AND at >= $2 AND at < $3
   GROUP BY product_id, reason, currency ORDER BY product_id, reason, currency`,
);

export type WasteTotal = {
  readonly productId: string;
  readonly reason: WasteReason;
  readonly units: number;
  readonly cost: number;
  readonly currency: string;
};

/** What a site threw out in a period, by product and reason. */
export function sumWaste(db: Query, siteId: string, { from, until }: Period): Promise<WasteTotal[]> {
  return db.query<WasteTotal>(WASTE, [siteId, formatInstant(from), formatInstant(until)]);
}
