import { randomBytes, randomUUID } from 'node:crypto';
import type { ContextName } from '@provender/contracts';
import { type Gateway, openGateway } from '@provender/gateway';
import { type Instant } from '@provender/kernel';
import { idle, manualClock, migrate, readSettings, type RunningContext, type Transport } from '@provender/platform';
import { createTestDatabase, ensureTemplate, sharedKafka } from '@provender/platform/testing';
import { modules, openServer, type Server } from '@provender/server';
import { type Api, type ApiCall, openApi } from './api.ts';
import { freePort } from './server-process.ts';
import { type SplitDatabases, urlsOf } from './split-databases.ts';
import { openStandIn } from './stand-in-transport.ts';
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

/** Every context with a server and a database of its own, events carried between them, a gateway in front. */
export type SplitTown = RunningTown & {
  readonly servers: ReadonlyMap<ContextName, Server>;
  readonly databases: SplitDatabases;
};

/** Where events go: the Kafka of the test run, under topics of this town's own, or the stand-in. */
export type Carrier = 'kafka' | 'stand-in';

const PARTITIONS = 2;

const NAMES: readonly ContextName[] = modules.map(({ context }) => context);

type Layout = {
  readonly databases: SplitDatabases;
  readonly ports: Readonly<Record<ContextName, number>>;
  readonly env: Readonly<Record<string, string>>;
  readonly transportOf: () => Transport | undefined;
  readonly clock: ReturnType<typeof manualClock>;
};

export async function startSplitTown(
  carrier: Carrier,
  { now = MORNING, env = {} }: TownOptions = {},
): Promise<SplitTown> {
  const databases = await createDatabases();
  const standIn = carrier === 'stand-in' ? openStandIn(superUrlsOf(databases)) : undefined;
  const port = await freePort();
  const layout: Layout = {
    databases,
    ports: await portsOfAll(),
    env: {
      ...TEST_ENV,
      ...(carrier === 'kafka' ? await kafkaEnv() : {}),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      GATEWAY_SECRET: randomBytes(32).toString('hex'),
      ...env,
    },
    transportOf: () => standIn?.of(),
    clock: manualClock(momentOf(now)),
  };
  const servers = new Map<ContextName, Server>();
  let settings = layout.env;
  let gateway = await openTown(layout, servers, settings, port);
  let api = settling(openApi(gateway.url()), idleAll);

  function contexts(): ReadonlyMap<ContextName, RunningContext> {
    return new Map([...servers.values()].flatMap(({ system }) => [...system.contexts]));
  }

  function idleAll(): Promise<void> {
    return idle(contexts());
  }

  async function stopAll(): Promise<void> {
    api.close();
    await gateway.stop();
    await Promise.all([...servers.keys()].map((context) => stopServer(servers, context)));
  }

  async function restart({ at, env: changed = {} }: Restart = {}): Promise<void> {
    settings = { ...settings, ...changed };
    api.close();
    await gateway.stop();
    // Where only some go away or come back, the others do not notice.
    const away = [...servers.keys()].filter(
      (context) => changed['CONTEXTS'] === undefined || !wants(settings, context),
    );
    await Promise.all(away.map((context) => stopServer(servers, context)));
    if (at !== undefined) layout.clock.advanceTo(momentOf(at));
    gateway = await openTown(layout, servers, settings, port);
    api = settling(openApi(gateway.url()), idleAll);
  }

  return {
    get api() {
      return api;
    },
    get identity() {
      return servers.get('identity')?.system.identity;
    },
    ...{ clock: layout.clock, servers, databases, idle: idleAll, restart },
    advanceTo: (moment: Instant | string) => advanceAll(contexts(), idleAll, layout.clock, momentOf(moment)),
    async expectPromises() {
      await idleAll();
      const books = new Map(NAMES.map((context) => [context, databases[context].superuserUrl]));
      await expectPromisesOf(urlsOf(databases), layout.clock, books);
    },
    async close() {
      await stopAll();
      await standIn?.close();
      await Promise.all(Object.values(databases).map(({ drop }) => drop()));
    },
  };
}

/** Topics that no other town has. */
async function kafkaEnv(): Promise<Readonly<Record<string, string>>> {
  const { brokers } = await sharedKafka();
  return {
    EVENTS: 'kafka',
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_TOPIC_PREFIX: `town-${randomUUID()}.`,
    KAFKA_PARTITIONS: String(PARTITIONS),
  };
}

async function createDatabases(): Promise<SplitDatabases> {
  const created = modules.map(async (module) => {
    const template = `template_split_${module.context}`;
    await ensureTemplate(template, (url) => migrate(url, [module]));
    return [module.context, await createTestDatabase({ template })] as const;
  });
  // One for each context, just made.
  return Object.fromEntries(await Promise.all(created)) as SplitDatabases;
}

function superUrlsOf(databases: SplitDatabases): Record<ContextName, string> {
  const urls = Object.entries(databases).map(([context, { superuserUrl }]) => [context, superuserUrl]);
  return Object.fromEntries(urls) as Record<ContextName, string>;
}

async function portsOfAll(): Promise<Record<ContextName, number>> {
  const ports = await Promise.all(NAMES.map(async (context) => [context, await freePort()] as const));
  return Object.fromEntries(ports) as Record<ContextName, number>;
}

function wants({ CONTEXTS = NAMES.join(',') }: Readonly<Record<string, string>>, context: ContextName) {
  return CONTEXTS.split(',').includes(context);
}

/** Starts the servers that are wanted and do not run, and a gateway that knows them all. */
async function openTown(
  layout: Layout,
  servers: Map<ContextName, Server>,
  env: Readonly<Record<string, string>>,
  port: number,
): Promise<Gateway> {
  const missing = NAMES.filter((context) => wants(env, context) && !servers.has(context));
  const upstreams = NAMES.map((context) => `${context}=http://127.0.0.1:${layout.ports[context]}`).join(',');
  const gateway = await openGateway(settingsOf({ ...env, PORT: String(port), UPSTREAMS: upstreams }));
  await Promise.all(
    missing.map(async (context) => {
      const transport = layout.transportOf();
      const server = await openServer({
        settings: settingsOf({ ...env, CONTEXTS: context, PORT: String(layout.ports[context]) }),
        databaseUrl: layout.databases[context].url,
        clock: layout.clock,
        ...(transport === undefined ? {} : { transport }),
      });
      await server.start({ timers: false });
      servers.set(context, server);
    }),
  );
  await gateway.start();
  return gateway;
}

async function stopServer(servers: Map<ContextName, Server>, context: ContextName): Promise<void> {
  const server = servers.get(context);
  servers.delete(context);
  await server?.stop();
}

function settingsOf(env: Readonly<Record<string, string>>) {
  const settings = readSettings(env);
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  return settings.value;
}

/** Other contexts see a write within a second: after each, a story waits for that, as its people would. */
function settling(api: Api, idleAll: () => Promise<void>): Api {
  return {
    ...api,
    async call<Body>(line: string, options?: ApiCall) {
      const answer = await api.call<Body>(line, options);
      if (!line.startsWith('GET ')) await idleAll();
      return answer;
    },
  };
}
