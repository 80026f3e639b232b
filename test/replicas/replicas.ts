import { randomUUID } from 'node:crypto';
import type { Instant } from '@provender/kernel';
import { idle, type ManualClock, manualClock, migrate, readSettings } from '@provender/platform';
import {
  createTestDatabase,
  describeWithKafka,
  ensureTemplate,
  sharedKafka,
  type TestDatabase,
} from '@provender/platform/testing';
import { advanceTo, modules, openServer, type Server } from '@provender/server';
import pg from 'pg';
import { describe } from 'vitest';
import { type Api, openApi } from '../support/api.ts';
import { expectPromisesOf, MORNING, momentOf, type RunningTown, TEST_ENV } from '../support/town-shape.ts';

/** What carries the events between the contexts, and between their replicas. */
export type Carrier = 'postgres' | 'kafka';

/** One of several processes, as far as anybody outside can tell: a whole server with connections of its own. */
export type Replica = RunningTown & { readonly server: Server };

export type Replicas = {
  readonly all: readonly Replica[];
  readonly clock: ManualClock;
  readonly database: TestDatabase;
  /** Runs SQL as the superuser, to look. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Waits until every replica has consumed all there is. */
  idle(): Promise<void>;
  close(): Promise<void>;
};

export type ReplicasOptions = {
  readonly carrier: Carrier;
  readonly count?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Each runs the timers of its contexts, as in production; else nobody does. */
  readonly timers?: boolean;
};

const TEMPLATE = 'template_whole_system';
/** A free shop is not asked under this address; tokens are issued in its name. */
const PUBLIC_URL = 'http://127.0.0.1:3000';
const PARTITIONS = 2;

/** The same expectations over each transport; those over Kafka only where there is one, and said so where not. */
export function describeOverBoth(name: string, suite: (carrier: Carrier) => void): void {
  describe(`${name}, over the database`, () => {
    suite('postgres');
  });
  describeWithKafka(`${name}, over Kafka`, () => {
    suite('kafka');
  });
}

/** Starts servers with every context on one database. Ask in `beforeAll`, close in `afterAll`. */
export async function startReplicas({
  carrier,
  count = 2,
  env = {},
  timers = false,
}: ReplicasOptions): Promise<Replicas> {
  await ensureTemplate(TEMPLATE, (url) => migrate(url, modules));
  const database = await createTestDatabase({ template: TEMPLATE });
  const admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  const clock = manualClock(MORNING);
  const carried = carrier === 'kafka' ? await kafkaEnv() : {};
  const settings = readSettings({ ...TEST_ENV, PUBLIC_URL, ...carried, ...env });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = await openServer({ settings: settings.value, databaseUrl: database.url, clock });
      await server.start({ timers });
      return { server, api: openApi(addressOf(server)) };
    }),
  );

  async function idleAll(): Promise<void> {
    for (const { server } of servers) await idle(server.system.contexts);
  }

  function replica({ server, api }: { readonly server: Server; readonly api: Api }): Replica {
    return {
      server,
      api,
      clock,
      identity: server.system.identity,
      idle: idleAll,
      advanceTo: (moment: Instant | string) => advanceTo(server.system, clock, momentOf(moment)),
      async expectPromises() {
        await idleAll();
        const books = new Map(modules.map(({ context }) => [context, database.superuserUrl]));
        await expectPromisesOf(database.url, clock, books);
      },
      restart: () => Promise.reject(new Error('Replicas are not restarted in a test')),
      close: () => server.stop(),
    };
  }

  return {
    all: servers.map(replica),
    clock,
    database,
    sql: async (text, values) => (await admin.query(text, values as unknown[])).rows,
    idle: idleAll,
    async close() {
      for (const { api, server } of servers) {
        api.close();
        await server.stop();
      }
      await admin.end();
      await database.drop();
    },
  };
}

async function kafkaEnv(): Promise<Record<string, string>> {
  const { brokers } = await sharedKafka();
  return {
    EVENTS: 'kafka',
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_PARTITIONS: String(PARTITIONS),
    KAFKA_TOPIC_PREFIX: `replicas-${randomUUID()}.`,
  };
}

/** Where this one listens itself, whatever address all of them have in common. */
function addressOf({ http }: Server): string {
  const [address] = http.fastify.addresses();
  if (address === undefined || typeof address === 'string') throw new Error('The server does not listen');
  return `http://127.0.0.1:${address.port}`;
}
