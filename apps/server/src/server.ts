import { randomUUID } from 'node:crypto';
import { ACCESS_TOKEN_AUDIENCE } from '@provender/contracts';
import {
  type Clock,
  createHttpServer,
  createLogger,
  createMetrics,
  createTokenVerifier,
  type HttpServer,
  migrate,
  openAnnouncer,
  openCountStore,
  openServerStore,
  publishedKeys,
  randomIds,
  type Settings,
  settled,
  type Transport,
} from '@provender/platform';
import { openDemo } from './demo/load-demo.ts';
import { type DemoOutside, openDemoOutside } from './demo/outside.ts';
import { operationsRoutes } from './operations.ts';
import { modules, openSystem, type System } from './system.ts';
import { transportOf } from './transport.ts';

export type Server = {
  readonly system: System;
  readonly http: HttpServer;
  /** Where it is reached, once it has started. */
  url(): string;
  /** Starts contexts and HTTP; ready when it resolves. Without `timers`, whoever drives the clock runs them. */
  start(options?: { readonly timers: boolean }): Promise<void>;
  stop(): Promise<void>;
};

export type ServerOptions = {
  readonly settings: Settings;
  /** Of a role that owns the database and may make roles. */
  readonly databaseUrl: string;
  readonly clock: Clock;
  /** Carries events instead of what the settings name. Whoever gives it lets no other context stand in the database. */
  readonly transport?: Transport;
};

/** Migrates the database and puts contexts, HTTP and operations together. Nothing runs before `start`. */
export async function openServer(options: ServerOptions): Promise<Server> {
  const outside = await openDemoOutside(options.settings);
  const server = await openWith(outside, options);
  return {
    ...server,
    async stop() {
      await server.stop();
      await outside.close();
    },
  };
}

async function openWith({ settings, feedUrl }: DemoOutside, options: ServerOptions): Promise<Server> {
  const { databaseUrl, clock } = options;
  const isApart = options.transport !== undefined || settings.events === 'kafka';
  await migrate(databaseUrl, isApart ? modulesOf(settings) : modules);
  const log = createLogger(settings.logLevel);
  const store = await openServerStore(databaseUrl);
  let listening = settings.publicUrl ?? `http://${settings.host}:${settings.port}`;
  let isReady = false;
  const processId = randomUUID();
  const announcer = openAnnouncer(databaseUrl, processId);
  const system = openSystem(settings.contexts, {
    databaseUrl,
    transport: options.transport ?? transportOf(settings, { processId, announcer, log }),
    announcer,
    clock,
    ids: randomIds(),
    settings,
    log,
    publicUrl: () => listening,
    oneCluster: !isApart,
  });
  const counts = openCountStore(databaseUrl);
  const http = await createHttpServer({
    settings,
    sharedCounts: counts,
    logger: log,
    clock,
    metrics: createMetrics(),
    secretKey: store.secret,
    ready: async () => isReady && (await answersQueries(system)),
    settled: (context) => settled(system.contexts, context),
    limitCaller: system.limitCaller,
    verifyToken: createTokenVerifier({
      jwks:
        system.identity?.jwks ?? publishedKeys({ ...keysOf(settings, () => listening), shelf: store.tokenKeys, log }),
      issuer: () => listening,
      audience: ACCESS_TOKEN_AUDIENCE,
    }),
  });
  for (const { context, open } of system.contexts.values()) await open.routes?.(http.app(context));
  const seesAll = !isApart || settings.contexts.length === modules.length;
  operationsRoutes(http, { system, databases: settings.databaseUrls ?? (seesAll ? databaseUrl : undefined) });
  const demo = settings.demo ? openDemo(system, store, feedUrl) : undefined;

  return {
    system,
    http,
    url: () => listening,
    async start({ timers } = { timers: true }) {
      await demo?.claim();
      await system.start({ timers });
      const address = await http.listen();
      listening = settings.publicUrl ?? address;
      await demo?.load();
      isReady = true;
    },
    async stop() {
      isReady = false;
      await demo?.stop();
      await http.stop();
      await system.stop();
      await announcer.close();
      await counts.close();
    },
  };
}

function modulesOf({ contexts }: Settings) {
  return modules.filter(({ context }) => contexts.includes(context));
}

/** Every context's database answers. */
async function answersQueries(system: System): Promise<boolean> {
  await Promise.all([...system.contexts.values()].map((each) => each.head()));
  return true;
}

/** Where identity publishes the keys of tokens, seen from a process that does not run it. */
export function keysOf({ tokenKeysUrl }: Settings, publicUrl: () => string) {
  return { issuer: publicUrl, url: () => tokenKeysUrl ?? `${publicUrl()}/.well-known/jwks.json` };
}
