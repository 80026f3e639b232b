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
  openServerStore,
  postgresTransport,
  randomIds,
  type Settings,
  settled,
  type TokenVerifierOptions,
  type Transport,
} from '@provender/platform';
import { loadDemo } from './demo/load-demo.ts';
import { operationsRoutes } from './operations.ts';
import { modules, openSystem, type System } from './system.ts';

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
export async function openServer({ settings, databaseUrl, clock, transport }: ServerOptions): Promise<Server> {
  await migrate(databaseUrl, transport === undefined ? modules : modulesOf(settings));
  const log = createLogger(settings.logLevel);
  const store = await openServerStore(databaseUrl);
  let listening = settings.publicUrl ?? `http://${settings.host}:${settings.port}`;
  let isReady = false;
  const announcer = openAnnouncer(databaseUrl, randomUUID());
  const system = openSystem(settings.contexts, {
    databaseUrl,
    transport: transport ?? postgresTransport({ announcer }),
    announcer,
    clock,
    ids: randomIds(),
    settings,
    log,
    publicUrl: () => listening,
    oneCluster: transport === undefined,
  });
  const http = await createHttpServer({
    settings,
    logger: log,
    clock,
    metrics: createMetrics(),
    secretKey: store.secret,
    ready: async () => isReady && (await answersQueries(system)),
    settled: (context) => settled(system.contexts, context),
    verifyToken: createTokenVerifier({
      jwks: () => system.identity?.jwks() ?? publishedKeys(listening),
      issuer: () => listening,
      audience: ACCESS_TOKEN_AUDIENCE,
    }),
  });
  for (const { context, open } of system.contexts.values()) await open.routes?.(http.app(context));
  operationsRoutes(http, { system, databaseUrl });

  return {
    system,
    http,
    url: () => listening,
    async start({ timers } = { timers: true }) {
      await system.start({ timers });
      const address = await http.listen();
      listening = settings.publicUrl ?? address;
      if (settings.demo) await loadDemo(system, store);
      isReady = true;
    },
    async stop() {
      isReady = false;
      await http.stop();
      await system.stop();
      await announcer.close();
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

const KEYS_MILLISECONDS_MAX = 5_000;

/** The keys as the identity context publishes them, where it runs in another process behind the same address. */
async function publishedKeys(publicUrl: string): ReturnType<TokenVerifierOptions['jwks']> {
  const response = await fetch(`${publicUrl}/.well-known/jwks.json`, {
    signal: AbortSignal.timeout(KEYS_MILLISECONDS_MAX),
  });
  if (!response.ok) throw new Error(`The keys of ${publicUrl} could not be read: ${response.status}`);
  // Whoever answers under the issuer's own address is trusted with its keys; the verifier checks their shape.
  return (await response.json()) as Awaited<ReturnType<TokenVerifierOptions['jwks']>>;
}
