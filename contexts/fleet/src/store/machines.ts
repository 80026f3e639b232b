import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Wish } from '../domain/choice.ts';
import type { Machine } from '../domain/machine.ts';

const COLUMNS = `id, name, site_id AS "siteId", stock, status, usage_count AS "usageCount", session_id AS "sessionId",
  planogram_version AS "planogramVersion", client_id AS "clientId", created_at AS "createdAt",
  updated_at AS "updatedAt"`;

const INSERT_MACHINE = statement(
  'insert-machine',
  `INSERT INTO machines (id, name, site_id, stock, status, client_id, created_at, updated_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
);
const UPDATE_MACHINE = statement(
  'update-machine',
  `UPDATE machines SET status = $2, usage_count = $3, session_id = $4, planogram_version = $5, client_id = $6,
     updated_at = $7
   WHERE id = $1`,
);
const MACHINE = statement('machine', `SELECT ${COLUMNS} FROM machines WHERE id = $1`);
const LOCK_MACHINE = statement('lock-machine', `SELECT ${COLUMNS} FROM machines WHERE id = $1 FOR UPDATE`);
const MACHINES = statement(
  'machines',
  `SELECT ${COLUMNS} FROM machines
   WHERE ($3::uuid IS NULL OR site_id = $3) AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $1`,
);

const LEAST_USED = `FROM machines WHERE status = 'idle'`;
const IN_ORDER = 'ORDER BY usage_count, updated_at, id LIMIT 1 FOR UPDATE';
// Calls at once pass over what the others have locked, so that none waits and each takes another machine.
const TAKE_ANYWHERE = statement('take-idle', `SELECT ${COLUMNS} ${LEAST_USED} ${IN_ORDER} SKIP LOCKED`);
const TAKE_AT_SITE = statement(
  'take-idle-at-site',
  `SELECT ${COLUMNS} ${LEAST_USED} AND site_id = $1 ${IN_ORDER} SKIP LOCKED`,
);
// The second look waits: a machine that is only locked for a moment may still be idle then, and one that is not any
// more is passed over for the next. Who waits here has locked nothing yet, so nobody waits in a circle.
const AWAIT_ANYWHERE = statement('await-idle', `SELECT ${COLUMNS} ${LEAST_USED} ${IN_ORDER}`);
const AWAIT_AT_SITE = statement('await-idle-at-site', `SELECT ${COLUMNS} ${LEAST_USED} AND site_id = $1 ${IN_ORDER}`);

export async function insertMachine(db: Query, machine: Machine): Promise<void> {
  const { id, name, siteId, stock, status, clientId, createdAt } = machine;
  await db.query(INSERT_MACHINE, [id, name, siteId, stock, status, clientId, formatInstant(createdAt)]);
}

/** Writes a machine back that this transaction has locked. */
export async function updateMachine(db: Query, machine: Machine): Promise<void> {
  const { id, status, usageCount, sessionId, planogramVersion, clientId, updatedAt } = machine;
  const at = formatInstant(updatedAt);
  await db.query(UPDATE_MACHINE, [id, status, usageCount, sessionId, planogramVersion, clientId, at]);
}

export async function readMachine(db: Query, id: string): Promise<Machine | undefined> {
  return (await db.query<Machine>(MACHINE, [id]))[0];
}

export async function lockMachine(db: Query, id: string): Promise<Machine | undefined> {
  return (await db.query<Machine>(LOCK_MACHINE, [id]))[0];
}

export type MachinePaging = { readonly limit: number; readonly after?: readonly [string]; readonly siteId?: string };

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listMachines(db: Query, { limit, after, siteId }: MachinePaging): Promise<Machine[]> {
  return db.query<Machine>(MACHINES, [limit + 1, after?.[0] ?? null, siteId ?? null]);
}

/** Locks the idle machine that was used least, of a site or of all; undefined where there is none. */
export async function takeIdleMachine(db: Query, siteId: Wish['siteId']): Promise<Machine | undefined> {
  const values = siteId === null ? [] : [siteId];
  const [free] = await db.query<Machine>(siteId === null ? TAKE_ANYWHERE : TAKE_AT_SITE, values);
  return free ?? (await db.query<Machine>(siteId === null ? AWAIT_ANYWHERE : AWAIT_AT_SITE, values))[0];
}

const INSERT_PLANOGRAM = statement(
  'insert-planogram',
  'INSERT INTO planograms (machine_id, version, defined_at) VALUES ($1, $2, $3)',
);

/** Begins a version; its slots follow. */
export async function insertPlanogram(db: Query, { id, planogramVersion }: Machine, at: Instant): Promise<void> {
  await db.query(INSERT_PLANOGRAM, [id, planogramVersion, formatInstant(at)]);
}
