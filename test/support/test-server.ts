import { type ManualClock, manualClock, migrate, readSettings } from '@provender/platform';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '@provender/platform/testing';
import { modules, openServer, type Server } from '@provender/server';
import pg from 'pg';
import { type Api, openApi } from './api.ts';
import {
  advanceAll,
  expectPromisesOf,
  momentOf,
  MORNING,
  type Restart,
  type RunningTown,
  TEST_ENV,
  type TownOptions,
} from './town-shape.ts';

/** The whole system in this process, on a database of its own, with business time in the test's hand. */
export type TestServer = RunningTown & {
  readonly server: Server;
  readonly database: TestDatabase;
  /** Runs SQL as the superuser: to look, or to bring about what no request could. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Stops the process and leaves the database. */
  stop(): Promise<void>;
};

const TEMPLATE = 'template_whole_system';

/** Starts the system with an empty town, unless `env` asks for the demo. Ask in `beforeAll`, close in `afterAll`. */
export async function startTestServer({ now = MORNING, env = {} }: TownOptions = {}): Promise<TestServer> {
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
    get identity() {
      return running.server.system.identity;
    },
    clock,
    database,
    advanceTo(moment) {
      const { contexts, idle } = running.server.system;
      return advanceAll(contexts, idle, clock, momentOf(moment));
    },
    idle: () => running.server.system.idle(),
    sql: async (text, values) => (await admin.query(text, values as unknown[])).rows,
    async expectPromises() {
      const { contexts, idle } = running.server.system;
      await idle();
      const books = new Map([...contexts.keys()].map((context) => [context, database.superuserUrl]));
      await expectPromisesOf(database.url, clock, books);
    },
    restart,
    stop: stopAll,
    async close() {
      await stopAll();
      await database.drop();
    },
  };
}

type Running = { readonly server: Server; readonly api: Api };

async function start(
  database: TestDatabase,
  clock: ManualClock,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const settings = readSettings({ ...TEST_ENV, ...env });
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
