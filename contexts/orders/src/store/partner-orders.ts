import type { PartnerOrderReason, PartnerOrderStatus } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { FeedOrder } from '../domain/partner-feed.ts';
import type { PartnerDecision, PartnerOrder } from '../domain/partner-order.ts';

// All SQL of partner orders. Sets go in as arrays, one statement a set whatever its size.

const COLUMNS = `id, number, items, total_quantity AS "totalQuantity", imported_at AS "importedAt", status, attempt,
  is_asked AS "isAsked", run_id AS "runId", decisions`;

const READ_BY_NUMBER = statement(
  'read-partner-orders-by-number',
  `SELECT ${COLUMNS} FROM orders.partner_orders WHERE number = ANY($1::text[])`,
);

export async function readByNumber(db: Query, numbers: readonly string[]): Promise<Map<string, PartnerOrder>> {
  const rows = await db.query<PartnerOrder>(READ_BY_NUMBER, [numbers]);
  return new Map(rows.map((order) => [order.number, order]));
}

const COUNT = statement('count-partner-orders', 'SELECT count(*) FROM orders.partner_orders');

export async function countPartnerOrders(db: Query): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT);
  return row?.count ?? 0;
}

const INSERT = statement(
  'insert-partner-orders',
  `INSERT INTO orders.partner_orders (id, number, items, total_quantity, imported_at, updated_at)
   SELECT id, number, items, total_quantity, $5, $5
   FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::double precision[])
     AS imported (id, number, items, total_quantity)
   ON CONFLICT (number) DO NOTHING RETURNING id`,
);

export type NewPartnerOrder = FeedOrder & { readonly id: string };

/** Gives how many were inserted: a number that somebody else imports at this moment is not inserted twice. */
export async function insertPartnerOrders(db: Query, orders: readonly NewPartnerOrder[], at: Instant): Promise<number> {
  const rows = await db.query(INSERT, [
    orders.map(({ id }) => id),
    orders.map(({ number }) => number),
    orders.map(({ items }) => JSON.stringify(items)),
    orders.map(({ totalQuantity }) => totalQuantity),
    formatInstant(at),
  ]);
  return rows.length;
}

const READ_ONE = statement('read-partner-order', `SELECT ${COLUMNS} FROM orders.partner_orders WHERE id = $1`);
const LIST = statement(
  'list-partner-orders',
  `SELECT ${COLUMNS} FROM orders.partner_orders WHERE $2::uuid IS NULL OR id < $2 ORDER BY id DESC LIMIT $1`,
);
const LIST_BY_STATUS = statement(
  'list-partner-orders-by-status',
  `SELECT ${COLUMNS} FROM orders.partner_orders WHERE status = $3 AND ($2::uuid IS NULL OR id < $2)
   ORDER BY id DESC LIMIT $1`,
);

export async function readPartnerOrder(db: Query, id: string): Promise<PartnerOrder | undefined> {
  return (await db.query<PartnerOrder>(READ_ONE, [id]))[0];
}

/** Newest first; one row more than the limit. */
export function listPartnerOrders(
  db: Query,
  { limit, after }: { readonly limit: number; readonly after?: readonly [string] },
  status: PartnerOrderStatus | undefined,
): Promise<PartnerOrder[]> {
  const place = [limit + 1, after?.[0] ?? null];
  return status === undefined
    ? db.query<PartnerOrder>(LIST, place)
    : db.query<PartnerOrder>(LIST_BY_STATUS, [...place, status]);
}

// Two who process at once pass by what the other has in hand.
const LOCK_NEXT = statement(
  'lock-next-partner-orders',
  `SELECT ${COLUMNS} FROM orders.partner_orders WHERE status = 'NEW' AND NOT is_asked ORDER BY id LIMIT $1
   FOR UPDATE SKIP LOCKED`,
);
const LOCK_ONE = statement(
  'lock-partner-order',
  `SELECT ${COLUMNS} FROM orders.partner_orders WHERE id = $1 FOR UPDATE`,
);

/** The first so many that nobody processes yet. */
export function lockNext(db: Query, limit: number): Promise<PartnerOrder[]> {
  return db.query<PartnerOrder>(LOCK_NEXT, [limit]);
}

/** One of them; waits for whoever has it in hand. */
export async function lockPartnerOrder(db: Query, id: string): Promise<PartnerOrder | undefined> {
  return (await db.query<PartnerOrder>(LOCK_ONE, [id]))[0];
}

const ASK = statement(
  'ask-for-partner-orders',
  `UPDATE orders.partner_orders SET attempt = attempt + 1, is_asked = true, run_id = $2, updated_at = $3
   WHERE id = ANY($1::uuid[]) AND status = 'NEW' AND NOT is_asked`,
);

/** The next attempt of these begins; the warehouses are to be asked. They are locked. */
export async function noteAsked(db: Query, ids: readonly string[], runId: string, at: Instant): Promise<void> {
  await db.query(ASK, [ids, runId, formatInstant(at)]);
}

// Of an attempt that is over, because the order was reset since, nothing is taken. The run counts what was taken.
const DECIDE = statement(
  'decide-partner-orders',
  `WITH decided AS (
     UPDATE orders.partner_orders AS orders SET status = answer.status, reason = answer.reason, is_asked = false,
       updated_at = $5, decisions = orders.decisions || answer.decision
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[]) AS answer (id, status, reason, decision)
     WHERE orders.id = answer.id AND orders.is_asked AND orders.attempt = (answer.decision ->> 'attempt')::integer
     RETURNING orders.run_id, orders.status
   ), counted AS (
     SELECT run_id, count(*) FILTER (WHERE status = 'PROCESSED') AS processed,
       count(*) FILTER (WHERE status = 'FAILED') AS failed
     FROM decided GROUP BY run_id ORDER BY run_id
   )
   UPDATE orders.partner_runs AS runs SET processed = runs.processed + counted.processed,
     failed = runs.failed + counted.failed
   FROM counted WHERE runs.id = counted.run_id`,
);

export type Decided = PartnerDecision & { readonly id: string; readonly reason?: PartnerOrderReason };

/** Writes down what became of partner orders that were asked for. */
export async function noteDecided(db: Query, decided: readonly Decided[], at: Instant): Promise<void> {
  await db.query(DECIDE, [
    decided.map(({ id }) => id),
    decided.map(({ status }) => status),
    decided.map(({ reason }) => reason ?? null),
    decided.map(({ id: _id, ...decision }) => JSON.stringify(decision)),
    formatInstant(at),
  ]);
}

const RESET = statement(
  'reset-partner-orders',
  `WITH former AS MATERIALIZED (
     SELECT id, attempt, is_asked, run_id FROM orders.partner_orders WHERE status <> 'NEW' OR is_asked
     ORDER BY id FOR UPDATE
   ), dropped AS (
     UPDATE orders.partner_runs AS runs SET dropped = runs.dropped + gone.count
     FROM (SELECT run_id, count(*)::integer FROM former WHERE is_asked GROUP BY run_id) AS gone
     WHERE runs.id = gone.run_id
   )
   UPDATE orders.partner_orders AS orders SET status = 'NEW', reason = NULL, is_asked = false, updated_at = $1
   FROM former WHERE orders.id = former.id RETURNING orders.id, former.attempt`,
);

export type Reset = { readonly id: string; readonly attempt: number };

/** Makes all new again that is not; gives them, with the attempt that is over. */
export function resetAll(db: Query, at: Instant): Promise<Reset[]> {
  return db.query<Reset>(RESET, [formatInstant(at)]);
}

const INSERT_RUN = statement('insert-partner-run', 'INSERT INTO orders.partner_runs (id, started_at) VALUES ($1, $2)');
const GROW_RUN = statement(
  'grow-partner-run',
  'UPDATE orders.partner_runs SET total = total + $2, is_complete = is_complete OR $3 WHERE id = $1',
);
const READ_RUN = statement(
  'read-partner-run',
  `SELECT id, started_at AS "startedAt", is_complete AS "isComplete", total, processed, failed, dropped
   FROM orders.partner_runs WHERE id = $1`,
);

export async function insertRun(db: Query, id: string, at: Instant): Promise<void> {
  await db.query(INSERT_RUN, [id, formatInstant(at)]);
}

/** The run has taken so many more; `isComplete` where there are no more to take. */
export async function growRun(db: Query, id: string, taken: number, isComplete: boolean): Promise<void> {
  await db.query(GROW_RUN, [id, taken, isComplete]);
}

export type PartnerRun = {
  readonly id: string;
  readonly startedAt: Instant;
  readonly isComplete: boolean;
  readonly total: number;
  readonly processed: number;
  readonly failed: number;
  readonly dropped: number;
};

export async function readRun(db: Query, id: string): Promise<PartnerRun | undefined> {
  return (await db.query<PartnerRun>(READ_RUN, [id]))[0];
}
