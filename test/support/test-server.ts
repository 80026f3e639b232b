import { eventSchemas } from '@provender/contracts';
import { type Instant, instant } from '@provender/kernel';
import { type ManualClock, manualClock, migrate, readSettings } from '@provender/platform';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '@provender/platform/testing';
import { advanceTo, modules, openServer, type Server, verifyPromises } from '@provender/server';
import pg from 'pg';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { expect } from 'vitest';
import { type Api, openApi } from './api.ts';

/** Saturday, 21 November 2026, 09:00 in Berlin. */
export const MORNING: Instant = instant(Date.parse('2026-11-21T08:00:00.000Z'));

/** The whole system in this process, on a database of its own, with business time in the test's hand. */
export type TestServer = {
  readonly server: Server;
  readonly clock: ManualClock;
  readonly api: Api;
  readonly database: TestDatabase;
  /** Moves business time on, through everything that falls due on the way. */
  advanceTo(moment: Instant | string): Promise<void>;
  /** Waits until every context has consumed all there is. */
  idle(): Promise<void>;
  /** Runs SQL as the superuser: to look, or to bring about what no request could. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Expects that every promise holds, that every event fits its schema and that none is parked. */
  expectPromises(): Promise<void>;
  /**
   * Stops the process and starts it anew on the same database: at a later moment, or with other settings from now on.
   */
  restart(options?: Restart): Promise<void>;
  /** Stops the process and leaves the database. */
  stop(): Promise<void>;
  close(): Promise<void>;
};

export type TestServerOptions = {
  readonly now?: Instant | string;
  readonly env?: Readonly<Record<string, string>>;
};

export type Restart = { readonly at?: Instant | string; readonly env?: Readonly<Record<string, string>> };

const TEMPLATE = 'template_whole_system';

/** Starts the system with an empty town, unless `env` asks for the demo. Ask in `beforeAll`, close in `afterAll`. */
export async function startTestServer({ now = MORNING, env = {} }: TestServerOptions = {}): Promise<TestServer> {
  await ensureTemplate(TEMPLATE, (url) => migrate(url, modules));
  const database = await createTestDatabase({ template: TEMPLATE });
  const admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  const clock = manualClock(momentOf(now));
  let settings = env;
  let running = await start(database, clock, settings);

  async function restart({ at, env: changed }: Restart = {}): Promise<void> {
    await stop(running);
    if (at !== undefined) clock.advanceTo(momentOf(at));
    settings = { ...settings, ...changed };
    running = await start(database, clock, settings);
  }

  async function stopAll(): Promise<void> {
    await stop(running);
    await admin.end();
  }

  return {
    get server() {
      return running.server;
    },
    get api() {
      return running.api;
    },
    clock,
    database,
    advanceTo: (moment) => advanceTo(running.server.system, clock, momentOf(moment)),
    idle: () => running.server.system.idle(),
    sql: async (text, values) => (await admin.query(text, values as unknown[])).rows,
    async expectPromises() {
      await running.server.system.idle();
      const { checks } = await verifyPromises({ databases: database.url, clock });
      expect(checks.length).toBeGreaterThan(10);
      expect(checks.filter((check) => !check.ok)).toEqual([]);
      for (const { context } of running.server.system.contexts.values()) {
        const said = await admin.query<EventRow>(`SELECT type, data FROM ${context}.outbox`);
        expect(said.rows.flatMap(faultsOf), `events of ${context} that are not as their schema says`).toEqual([]);
        const parked = await admin.query(`SELECT source, event, error FROM ${context}.parked_events`);
        expect(parked.rows, `events parked in ${context}`).toEqual([]);
      }
    },
    restart,
    stop: stopAll,
    async close() {
      await stopAll();
      await database.drop();
    },
  };
}

type EventRow = { readonly type: string; readonly data: unknown };

/** What is wrong with an event by the schema that other contexts, and the world, rely on. */
function faultsOf({ type, data }: EventRow): object[] {
  const schema = (eventSchemas as Readonly<Record<string, TSchema>>)[type];
  if (schema === undefined) return [{ type, fault: 'has no schema' }];
  return Value.Check(schema, data) ? [] : [{ type, faults: Value.Errors(schema, data), data }];
}

type Running = { readonly server: Server; readonly api: Api };

async function start(
  database: TestDatabase,
  clock: ManualClock,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const settings = readSettings({
    PORT: '0',
    MQTT_PORT: '0',
    RATE_LIMIT: 'off',
    PROVENDER_DEMO: 'off',
    LOG_LEVEL: 'error',
    ...env,
  });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const server = await openServer({ settings: settings.value, databaseUrl: database.url, clock });
  await server.start({ timers: false });
  return { server, api: openApi(server.url()) };
}

async function stop({ server, api }: Running): Promise<void> {
  api.close();
  await server.stop();
}

/** The same as its method, for tests that expect nothing else. */
export function expectEveryPromise(test: TestServer): Promise<void> {
  return test.expectPromises();
}

/** RFC 3339, or milliseconds as business time counts them. */
function momentOf(moment: Instant | string): Instant {
  return typeof moment === 'string' ? instant(Date.parse(moment)) : moment;
}
