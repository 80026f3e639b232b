import { formatInstant, type Instant, type Milliseconds } from '@provender/kernel';
import type pg from 'pg';
import type { Check } from './checks.ts';

export type CheckOutcome = {
  readonly name: string;
  readonly promise: string;
  readonly ok: boolean;
  /** The rows that break the promise, the first hundred of them. */
  readonly violations: readonly Readonly<Record<string, unknown>>[];
};

export type CheckMoment = {
  readonly at: Instant;
  readonly since: Instant | undefined;
  readonly patience: Milliseconds;
};

const VIOLATIONS_MAX = 100;

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
