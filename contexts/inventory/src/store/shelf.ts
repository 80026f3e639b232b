import type { UnitsMade, WasteReason } from '@provender/contracts';
import { formatInstant, type Instant, type Money } from '@provender/kernel';
import { type Query, statement, type Tx } from '@provender/platform';
import type { Keeping } from '../domain/shelf.ts';
import type { CostedGroup, ShelfUnit } from '../domain/unit.ts';

// Whatever changes units. Units are only written by the guarded functions of the first migration.

/** Units that one statement makes; more go in several. */
export const UNITS_MADE_AT_ONCE_MAX = 10_000;

/** Units that one statement takes off a shelf; more go in several. */
export const UNITS_CLEARED_AT_ONCE_MAX = 10_000;

// A batch that is there already keeps its units: nothing is shelved twice, whoever comes again.
const INSERT_BATCHES = statement(
  'insert-batches',
  `INSERT INTO batches
     (id, site_id, product_id, source, quantity, made_at, shelved_at, first_unit_id, last_unit_id)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::timestamptz[],
     $7::timestamptz[], $8::uuid[], $9::uuid[])
   ON CONFLICT (id) DO NOTHING RETURNING id`,
);
const MAKE_UNITS = statement('make-units', 'SELECT make_units($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)');

/** Goods of one age, on their way to a shelf. */
export type NewBatch = {
  readonly id: string;
  readonly siteId: string;
  readonly productId: string;
  readonly source: UnitsMade['source'];
  readonly madeAt: Instant;
  readonly shelvedAt: Instant;
  readonly staleAt: Instant | null;
  readonly unitCost: Money;
  /** In rising order. */
  readonly unitIds: readonly string[];
};

/** Writes batches down, without their units; gives those that are new. */
export async function insertBatches(db: Query, batches: readonly NewBatch[]): Promise<NewBatch[]> {
  const rows = await db.query<{ id: string }>(INSERT_BATCHES, [
    batches.map(({ id }) => id),
    batches.map(({ siteId }) => siteId),
    batches.map(({ productId }) => productId),
    batches.map(({ source }) => source),
    batches.map(({ unitIds }) => unitIds.length),
    batches.map(({ madeAt }) => formatInstant(madeAt)),
    batches.map(({ shelvedAt }) => formatInstant(shelvedAt)),
    batches.map(({ unitIds }) => unitIds[0]),
    batches.map(({ unitIds }) => unitIds.at(-1)),
  ]);
  const inserted = new Set(rows.map(({ id }) => id));
  return batches.filter(({ id }) => inserted.has(id));
}

/** Puts the units of batches on their shelves. */
export async function makeUnits(db: Query, batches: readonly NewBatch[], now: Instant): Promise<void> {
  const ids = batches.flatMap(({ unitIds }) => unitIds);
  const nth = batches.flatMap(({ unitIds }, index) => unitIds.map(() => index + 1));
  const shared = [
    batches.map(({ siteId }) => siteId),
    batches.map(({ productId }) => productId),
    batches.map(({ id }) => id),
    batches.map(({ madeAt }) => formatInstant(madeAt)),
    batches.map(({ staleAt }) => momentOrNull(staleAt)),
    batches.map(({ unitCost }) => unitCost.amount),
    batches.map(({ unitCost }) => unitCost.currency),
    batches.map(({ source }) => source),
    formatInstant(now),
  ];
  for (let from = 0; from < ids.length; from += UNITS_MADE_AT_ONCE_MAX) {
    const to = from + UNITS_MADE_AT_ONCE_MAX;
    await db.query(MAKE_UNITS, [ids.slice(from, to), nth.slice(from, to), ...shared]);
  }
}

const PICK_UNITS = statement(
  'pick-units',
  `SELECT site_id AS "siteId", product_id AS "productId", id, batch_id AS "batchId", stale_at AS "staleAt"
   FROM pick_units($1, $2, $3, $4)`,
);

const RAISE_SHELF_STARTS = statement('raise-shelf-starts', 'SELECT raise_shelf_starts($1, $2)');

/** Lets the next sales of these products begin at the oldest unit that is free now, past all that was sold before. */
export async function raiseShelfStarts(
  db: Query,
  shelves: readonly { readonly siteId: string; readonly productId: string }[],
): Promise<void> {
  await db.query(RAISE_SHELF_STARTS, [shelves.map(({ siteId }) => siteId), shelves.map(({ productId }) => productId)]);
}

/** The oldest free units, oldest first, that stay fresh beyond a moment; locked until the transaction ends. */
export function pickUnits(
  db: Query,
  demand: readonly { readonly siteId: string; readonly productId: string; readonly quantity: number }[],
  freshUntil: Instant,
): Promise<ShelfUnit[]> {
  return db.query<ShelfUnit>(PICK_UNITS, [
    demand.map(({ siteId }) => siteId),
    demand.map(({ productId }) => productId),
    demand.map(({ quantity }) => quantity),
    formatInstant(freshUntil),
  ]);
}

const HOLD_UNITS = statement(
  'hold-units',
  `SELECT count(*) FROM move_units($1, array_fill('held'::unit_state, ARRAY[cardinality($1::uuid[])]), $2, NULL, $3)`,
);
const INSERT_HOLDS = statement(
  'insert-holds',
  `INSERT INTO holds (order_id, site_id, unit_ids, expires_at)
   SELECT order_id, site_id, string_to_array(unit_ids, ' ')::uuid[], $4
   FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS hold (order_id, site_id, unit_ids)`,
);

export type NewHold = { readonly orderId: string; readonly siteId: string; readonly units: readonly ShelfUnit[] };

/** Sets picked units aside for their orders. They are locked: nothing can come of it but a failed transaction. */
export function holdUnits(tx: Tx, holds: readonly NewHold[], now: Instant, expiresAt: Instant): void {
  const units = holds.flatMap(({ orderId, units: held }) => held.map(({ id }) => ({ id, orderId })));
  void tx.query(HOLD_UNITS, [units.map(({ id }) => id), units.map(({ orderId }) => orderId), formatInstant(now)]);
  void tx.query(INSERT_HOLDS, [
    holds.map(({ orderId }) => orderId),
    holds.map(({ siteId }) => siteId),
    holds.map(({ units: held }) => held.map(({ id }) => id).join(' ')),
    formatInstant(expiresAt),
  ]);
}

// Holds are locked sorted by their orders, here and where they end, so that two sets never wait for each other.
const SETTLE_HOLDS = statement(
  'settle-holds',
  `WITH settled AS (
     SELECT order_id, state::unit_state, unnest(unit_ids) AS id FROM close_holds($1, $2, $3)
   ), moves AS (
     SELECT array_agg(id) AS ids, array_agg(state) AS states, array_agg(order_id) AS order_ids FROM settled
   )
   SELECT moved.order_id AS "orderId", moved.state, moved.site_id AS "siteId", moved.product_id AS "productId",
     moved.batch_id AS "batchId", moved.stale_at AS "staleAt", moved.currency, count(*) AS quantity,
     sum(moved.unit_cost)::bigint AS cost
   FROM moves, move_units(moves.ids, moves.states, moves.order_ids, NULL, $4) AS moved
   GROUP BY 1, 2, 3, 4, 5, 6, 7`,
);

export type Settlement = {
  readonly orderId: string;
  readonly to: 'allocated' | 'sold';
  /** How many units the hold must have; null where it does not matter. */
  readonly units: number | null;
};

export type SettledGroup = CostedGroup & {
  readonly orderId: string;
  readonly siteId: string;
  readonly state: 'allocated' | 'sold';
};

/** Allocates or sells the units of holds that are still there. An order that is not in the answer has no such hold. */
export function settleHolds(db: Query, settlements: readonly Settlement[], now: Instant): Promise<SettledGroup[]> {
  const sorted = settlements.toSorted((left, right) => (left.orderId < right.orderId ? -1 : 1));
  return db.query<SettledGroup>(SETTLE_HOLDS, [
    sorted.map(({ orderId }) => orderId),
    sorted.map(({ to }) => to),
    sorted.map(({ units }) => units),
    formatInstant(now),
  ]);
}

const EXPIRED_HOLDS = statement(
  'expired-holds',
  `SELECT order_id AS "orderId" FROM holds WHERE state = 'held' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`,
);
const NEXT_HOLD_END = statement(
  'next-hold-end',
  `SELECT expires_at AS "expiresAt" FROM holds WHERE state = 'held' AND expires_at <= $1 ORDER BY expires_at LIMIT 1`,
);
const END_HOLDS = statement(
  'end-holds',
  `SELECT ended.order_id AS "orderId", ended.site_id AS "siteId", unit.id, unit.product_id AS "productId",
     unit.batch_id AS "batchId", unit.stale_at AS "staleAt", batches.shelved_at AS "shelvedAt",
     coalesce(products.keeps_overnight, true) AS "keepsOvernight", sites.kind, sites.time_zone AS "timeZone",
     sites.opens_at AS "opensAt", sites.closes_at AS "closesAt"
   FROM close_holds($1, array_fill($2::text, ARRAY[cardinality($1::uuid[])]),
       array_fill(NULL::integer, ARRAY[cardinality($1::uuid[])])) AS ended
     CROSS JOIN LATERAL find_units(ended.unit_ids) AS unit
     JOIN batches ON batches.id = unit.batch_id LEFT JOIN products ON products.id = unit.product_id
     LEFT JOIN sites ON sites.id = ended.site_id
   ORDER BY unit.made_at, unit.id`,
);
const RELEASE_UNITS = statement(
  'release-units',
  `SELECT count(*)
   FROM move_units($1, array_fill('available'::unit_state, ARRAY[cardinality($1::uuid[])]), $2, $3, $4)`,
);

/** Orders whose holds have come to their end by now, the first to end first. */
export async function expiredHolds(db: Query, now: Instant, limit: number): Promise<string[]> {
  const rows = await db.query<{ orderId: string }>(EXPIRED_HOLDS, [formatInstant(now), limit]);
  return rows.map(({ orderId }) => orderId);
}

/** When the first of the holds that are open ends; undefined where none ends until then. */
export async function nextHoldEnd(db: Query, until: Instant): Promise<Instant | undefined> {
  const [row] = await db.query<{ expiresAt: Instant }>(NEXT_HOLD_END, [formatInstant(until)]);
  return row?.expiresAt;
}

/** A unit that comes back from an order, with what decides whether it may stay on the shelf. */
export type ReturnedUnit = ShelfUnit &
  Keeping & {
    readonly orderId: string;
    /** Null where inventory has not heard of the site. */
    readonly kind: 'shop' | 'warehouse' | 'vending' | null;
    readonly timeZone: string;
    readonly opensAt: string;
    readonly closesAt: string;
  };

/** Ends open holds, of allocations too unless they `expired`; gives their units, which must be moved next. */
export function endHolds(db: Query, orderIds: readonly string[], to: 'released' | 'expired'): Promise<ReturnedUnit[]> {
  return db.query<ReturnedUnit>(END_HOLDS, [orderIds.toSorted(), to]);
}

/** Puts units back on their shelves. */
export async function releaseUnits(
  db: Query,
  units: readonly { readonly id: string; readonly orderId: string }[],
  reason: string,
  now: Instant,
): Promise<void> {
  const orderIds = units.map(({ orderId }) => orderId);
  await db.query(RELEASE_UNITS, [units.map(({ id }) => id), orderIds, reason, formatInstant(now)]);
}

// Units and their record as waste in one statement, so that neither is without the other.
const DISCARD_UNITS = statement(
  'discard-units',
  `WITH thrown AS (
     SELECT moved.order_id, moved.site_id, moved.product_id, moved.batch_id, moved.stale_at, moved.currency,
       count(*)::integer AS quantity, sum(moved.unit_cost)::bigint AS cost
     FROM move_units($1, array_fill('discarded'::unit_state, ARRAY[cardinality($1::uuid[])]), $2, $3, $4) AS moved
     GROUP BY 1, 2, 3, 4, 5, 6
   ), recorded AS (
     INSERT INTO waste (site_id, product_id, batch_id, reason, at, quantity, cost, currency)
     SELECT site_id, product_id, batch_id, $3, $4, quantity, cost, currency FROM thrown
   )
   SELECT order_id AS "orderId", site_id AS "siteId", product_id AS "productId", batch_id AS "batchId",
     stale_at AS "staleAt", currency, quantity, cost
   FROM thrown ORDER BY site_id, order_id, product_id, batch_id`,
);

export type DiscardedGroup = CostedGroup & { readonly orderId: string | null; readonly siteId: string };

/** Throws units out for one reason and records them as waste. `orderId`: the order that they came back from. */
export function discardUnits(
  db: Query,
  units: readonly { readonly id: string; readonly orderId: string | null }[],
  reason: WasteReason,
  now: Instant,
): Promise<DiscardedGroup[]> {
  const orderIds = units.map(({ orderId }) => orderId);
  return db.query<DiscardedGroup>(DISCARD_UNITS, [units.map(({ id }) => id), orderIds, reason, formatInstant(now)]);
}

const BATCHES_ON_SHELF = statement(
  'batches-on-shelf',
  `SELECT batches.id, batches.shelved_at AS "shelvedAt", found.stale_at AS "staleAt",
     coalesce(products.keeps_overnight, true) AS "keepsOvernight"
   FROM (SELECT DISTINCT batch_id, stale_at FROM units WHERE site_id = $1 AND is_available) AS found
     JOIN batches ON batches.id = found.batch_id LEFT JOIN products ON products.id = batches.product_id
   ORDER BY batches.id`,
);
// A unit that is locked is being held for a buyer at this moment: it is not thrown out under him.
const CLEAR_BATCHES = statement(
  'clear-batches',
  `SELECT id FROM units WHERE site_id = $1 AND is_available AND batch_id = ANY($2::uuid[])
   LIMIT $3 FOR UPDATE SKIP LOCKED`,
);

export type BatchOnShelf = Keeping & { readonly id: string };

/** The batches of which a site has free units. */
export function readBatchesOnShelf(db: Query, siteId: string): Promise<BatchOnShelf[]> {
  return db.query<BatchOnShelf>(BATCHES_ON_SHELF, [siteId]);
}

/** Free units of batches at a site, locked until the transaction ends; `UNITS_CLEARED_AT_ONCE_MAX` at most. */
export async function lockFreeUnits(db: Query, siteId: string, batchIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(CLEAR_BATCHES, [siteId, batchIds, UNITS_CLEARED_AT_ONCE_MAX]);
  return rows.map(({ id }) => id);
}

function momentOrNull(moment: Instant | null): string | null {
  return moment === null ? null : formatInstant(moment);
}
