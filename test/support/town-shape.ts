import type { ContextName } from '@provender/contracts';
import { eventSchemas } from '@provender/contracts';
import { type Instant, instant } from '@provender/kernel';
import type { ManualClock, RunningContext } from '@provender/platform';
import type { DatabaseUrls, System } from '@provender/server';
import { advanceTo, verifyPromises } from '@provender/server';
import pg from 'pg';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { expect } from 'vitest';
import type { Api } from './api.ts';

/** The whole system with business time in the test's hand, in one of its shapes. Stories speak to its API alone. */
export type RunningTown = {
  readonly api: Api;
  readonly clock: ManualClock;
  /** Adds people with roles, which no request could do for the first manager. */
  readonly identity: System['identity'];
  /** Moves business time on, through everything that falls due on the way. */
  advanceTo(moment: Instant | string): Promise<void>;
  /** Waits until every context that runs has consumed all there is. */
  idle(): Promise<void>;
  /** Expects that every promise holds, that every event fits its schema and that none is parked. */
  expectPromises(): Promise<void>;
  /**
   * Stops what runs and starts it anew on the same data: at a later moment, or with other settings from now on. Where
   * `CONTEXTS` says so, some contexts are away then.
   */
  restart(options?: Restart): Promise<void>;
  close(): Promise<void>;
};

export type TownOptions = {
  readonly now?: Instant | string;
  readonly env?: Readonly<Record<string, string>>;
};

export type Restart = { readonly at?: Instant | string; readonly env?: Readonly<Record<string, string>> };

export type StartTown = (options?: TownOptions) => Promise<RunningTown>;

/** Saturday, 21 November 2026, 09:00 in Berlin. */
export const MORNING: Instant = instant(Date.parse('2026-11-21T08:00:00.000Z'));

/** Of every server of a test, before what the test itself wants. */
export const TEST_ENV = {
  PORT: '0',
  MQTT_PORT: '0',
  RATE_LIMIT: 'off',
  PROVENDER_DEMO: 'off',
  LOG_LEVEL: 'error',
  WEBHOOK_LOOPBACK: 'on',
} as const;

/** RFC 3339, or milliseconds as business time counts them. */
export function momentOf(moment: Instant | string): Instant {
  return typeof moment === 'string' ? instant(Date.parse(moment)) : moment;
}

/** Where the tables of each context are, for whoever may read all. */
export type Books = ReadonlyMap<ContextName, string>;

/** Expects that every promise holds, that every event fits its schema and that none is parked. */
export async function expectPromisesOf(databases: DatabaseUrls, clock: ManualClock, books: Books): Promise<void> {
  const { checks } = await verifyPromises({ databases, clock });
  expect(checks.length).toBeGreaterThan(10);
  expect(checks.filter((check) => !check.ok)).toEqual([]);
  for (const [context, url] of books) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const said = await client.query<EventRow>(`SELECT type, data FROM ${context}.outbox`);
      expect(said.rows.flatMap(faultsOf), `events of ${context} that are not as their schema says`).toEqual([]);
      const parked = await client.query(`SELECT source, event, error FROM ${context}.parked_events`);
      expect(parked.rows, `events parked in ${context}`).toEqual([]);
    } finally {
      await client.end();
    }
  }
}

type EventRow = { readonly type: string; readonly data: unknown };

/** What is wrong with an event by the schema that other contexts, and the world, rely on. */
function faultsOf({ type, data }: EventRow): object[] {
  const schema = (eventSchemas as Readonly<Record<string, TSchema>>)[type];
  if (schema === undefined) return [{ type, fault: 'has no schema' }];
  return Value.Check(schema, data) ? [] : [{ type, faults: Value.Errors(schema, data), data }];
}

/** Moves the clock of contexts that may run in many processes, or pretend to. */
export function advanceAll(
  contexts: ReadonlyMap<ContextName, RunningContext>,
  idle: () => Promise<void>,
  clock: ManualClock,
  moment: Instant,
): Promise<void> {
  return advanceTo({ contexts, idle }, clock, moment);
}
