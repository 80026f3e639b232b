import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { formatInstant, type Instant, type Milliseconds, MINUTE, SECOND } from '@provender/kernel';
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

export type Verification = { readonly ok: boolean; readonly at: string; readonly checks: readonly CheckOutcome[] };

export type VerifyOptions = {
  readonly databaseUrl: string;
  readonly clock: Pick<Clock, 'now' | 'atLeastWall'>;
  /** Looks only at what happened since then, on tables that grow for ever. By default at everything. */
  readonly since?: Instant;
};

const VIOLATIONS_MAX = 100;
/** What must happen "soon" has happened a minute later, and never has less than ten seconds on the wall for it. */
const PATIENCE: Milliseconds = MINUTE;
const PATIENCE_WALL: Milliseconds = 10 * SECOND;
const CHECK_SECONDS_MAX = 120;

/**
 * Checks every promise on the live data, in one snapshot, as the role that may read everything and write nothing.
 * Throws where the database cannot be asked.
 */
export async function verifyPromises({ databaseUrl, clock, since }: VerifyOptions): Promise<Verification> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'provender verify',
    options: `-c role=${AUDITOR_ROLE} -c statement_timeout=${CHECK_SECONDS_MAX * SECOND} -c jit=off -c timezone=UTC`,
  });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const at = clock.now();
    const present = await presentContexts(client);
    const outcomes: CheckOutcome[] = [];
    const moment = { at, since, patience: clock.atLeastWall(PATIENCE, PATIENCE_WALL) };
    for (const check of checksFor(present)) outcomes.push(await runCheck(client, check, moment));
    await client.query('COMMIT');
    return { ok: outcomes.every((outcome) => outcome.ok), at: formatInstant(at), checks: outcomes };
  } finally {
    await client.end();
  }
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
  return `SELECT * FROM (${sql
    .replaceAll(/:now\b/g, `'${formatInstant(at)}'::timestamptz`)
    .replaceAll(/:since\b/g, `'${from}'::timestamptz`)
    .replaceAll(/:patience\b/g, `interval '${patience} milliseconds'`)}) AS violation LIMIT ${VIOLATIONS_MAX}`;
}

async function presentContexts(client: pg.Client): Promise<ContextName[]> {
  const { rows } = await client.query<{ name: string }>('SELECT nspname AS name FROM pg_namespace');
  const schemas = new Set(rows.map((row) => row.name));
  return CONTEXT_NAMES.filter((context) => schemas.has(context));
}
