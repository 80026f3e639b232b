import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { formatInstant, type Instant, instant, type Milliseconds, MINUTE, SECOND } from '@provender/kernel';
import { AUDITOR_ROLE, type Clock } from '@provender/platform';
import pg from 'pg';
import { type Check, checksFor } from './checks.ts';

export type CheckOutcome = {
  readonly name: string;
  readonly promise: string;
  readonly ok: boolean;
  /** The rows that break the promise, the first hundred of them. */
  readonly violations: readonly Readonly<Record<string, unknown>>[];
};

export type Verification = {
  readonly ok: boolean;
  /** The moment as of which it was judged what should have happened by now. */
  readonly at: string;
  readonly checks: readonly CheckOutcome[];
};

export type VerifyOptions = {
  /** Of the role that owns the database. */
  readonly databaseUrl: string;
  readonly clock: Pick<Clock, 'now' | 'atLeastWall'>;
  /** Looks only at what happened since then, on tables that grow for ever. By default at everything. */
  readonly since?: Instant;
  /**
   * Where no context runs on the database, judges as of its last event: the time in which nobody was there to do
   * anything is not held against it.
   */
  readonly allowForRest?: boolean;
  /** How many checks run side by side; one by default, so that a shop at work keeps its processors. */
  readonly connections?: number;
};

const VIOLATIONS_MAX = 100;
/** What must happen "soon" has happened a minute later, and never has less than ten seconds on the wall for it. */
const PATIENCE: Milliseconds = MINUTE;
const PATIENCE_WALL: Milliseconds = 10 * SECOND;
const CHECK_SECONDS_MAX = 120;
/** So that a million rows are joined in memory. */
const WORK_MEMORY = '128MB';
const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * Checks every promise on the live data, in one snapshot, as the role that may read everything and write nothing.
 * Throws where the database cannot be asked, or has never been that of a started Provender.
 */
export async function verifyPromises(options: VerifyOptions): Promise<Verification> {
  const clients = Array.from({ length: options.connections ?? 1 }, () => auditor(options.databaseUrl));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const [first, ...others] = clients;
    if (first === undefined) throw new Error('Nothing can be verified without a connection');
    const present = await presentContexts(first);
    if (present.length === 0) {
      throw new Error('Provender has never been started on this database: run npm start first.');
    }
    await beginSnapshot(first, others);
    const moment = await momentOf(first, present, options);
    const checks = checksFor(present);
    const outcomes: CheckOutcome[] = [];
    const waiting = checks.entries();
    await Promise.all(
      clients.map(async (client) => {
        for (const [place, check] of waiting) outcomes[place] = await runCheck(client, check, moment);
      }),
    );
    return { ok: outcomes.every((outcome) => outcome.ok), at: formatInstant(moment.at), checks: outcomes };
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

function auditor(databaseUrl: string): pg.Client {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'provender verify',
    options: `-c statement_timeout=${CHECK_SECONDS_MAX * SECOND} -c work_mem=${WORK_MEMORY} -c jit=off -c timezone=UTC`,
  });
  client.on('error', () => {});
  return client;
}

/** All connections see the same moment, whatever is committed meanwhile. */
async function beginSnapshot(first: pg.Client, others: readonly pg.Client[]): Promise<void> {
  await first.query(`SET ROLE ${AUDITOR_ROLE}`);
  await first.query(BEGIN);
  if (others.length === 0) return;
  const { rows } = await first.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
  for (const client of others) {
    await client.query(`SET ROLE ${AUDITOR_ROLE}`);
    await client.query(BEGIN);
    await client.query(`SET TRANSACTION SNAPSHOT '${rows[0]?.snapshot}'`);
  }
}

async function momentOf(
  client: pg.Client,
  present: readonly ContextName[],
  { clock, since, allowForRest = false }: VerifyOptions,
): Promise<CheckMoment> {
  const patience = clock.atLeastWall(PATIENCE, PATIENCE_WALL);
  const rests = allowForRest && !(await isRunning(client));
  const last = rests ? await lastEventAt(client, present) : undefined;
  return { at: last ?? clock.now(), since, patience };
}

/** Every context that listens to others holds a lock while it runs. */
async function isRunning(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ count: string }>(`
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database() AND classid::bigint
      = hashtext('provender reactor')::bit(32)::bigint`);
  return Number(rows[0]?.count) > 0;
}

async function lastEventAt(client: pg.Client, present: readonly ContextName[]): Promise<Instant | undefined> {
  const times = present.map((context) => `(SELECT time FROM ${context}.outbox ORDER BY position DESC LIMIT 1)`);
  const { rows } = await client.query<{ time: Date | null }>(`SELECT greatest(${times.join(', ')}) AS time`);
  const time = rows[0]?.time;
  return time === null || time === undefined ? undefined : instant(time.getTime());
}

export type CheckMoment = {
  readonly at: Instant;
  readonly since: Instant | undefined;
  readonly patience: Milliseconds;
};

/** Runs one check on a connection, inside whatever transaction it is in. */
export async function runCheck(client: pg.Client, check: Check, moment: CheckMoment): Promise<CheckOutcome> {
  const { rows } = await client.query<Record<string, unknown>>(withMoment(check.sql, moment));
  return { name: check.name, promise: check.promise, ok: rows.length === 0, violations: rows };
}

/** Puts the moment into a check: these three values are ours, never a caller's text. */
function withMoment(sql: string, { at, since, patience }: CheckMoment): string {
  const from = since === undefined ? '-infinity' : formatInstant(since);
  const text = sql
    .replaceAll(/:now\b/g, `'${formatInstant(at)}'::timestamptz`)
    .replaceAll(/:since\b/g, `'${from}'::timestamptz`)
    .replaceAll(/:patience\b/g, `interval '${patience} milliseconds'`);
  // Planned for all rows: a plan that hopes for the first hundred soon reads everything slowly where there are none.
  return `WITH violation AS MATERIALIZED (${text}) SELECT * FROM violation LIMIT ${VIOLATIONS_MAX}`;
}

async function presentContexts(client: pg.Client): Promise<ContextName[]> {
  const { rows } = await client.query<{ name: string }>('SELECT nspname AS name FROM pg_namespace');
  const schemas = new Set(rows.map((row) => row.name));
  return CONTEXT_NAMES.filter((context) => schemas.has(context));
}
