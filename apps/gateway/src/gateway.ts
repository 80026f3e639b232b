import { randomBytes } from 'node:crypto';
import {
  createHttpServer,
  createLogger,
  createMetrics,
  type HttpServer,
  type Metrics,
  realClock,
  type Settings,
} from '@provender/platform';
import { Gauge } from 'prom-client';
import { joinDocuments } from './documents.ts';
import { forwardRequests } from './forward.ts';
import { gatherOperations } from './gathered.ts';
import { openUpstreams, type Upstreams } from './upstreams.ts';

export type GatewaySettings = Pick<
  Settings,
  'host' | 'port' | 'rateLimit' | 'logLevel' | 'upstreams' | 'gatewaySecret' | 'trustedProxies'
>;

export type Gateway = {
  readonly http: HttpServer;
  /** Where it is reached, once it has started. */
  url(): string;
  /** Looks at every upstream once and begins to listen. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

const SECRET_BYTES = 32;

/**
 * The only public face where contexts run apart: sends each request on to its context, knows who is there, joins what
 * all of them say of themselves. It holds no state, verifies no token and knows no rule.
 */
export async function openGateway(settings: GatewaySettings): Promise<Gateway> {
  const logger = createLogger(settings.logLevel);
  const upstreams = openUpstreams(settings.upstreams, logger);
  const metrics = createMetrics();
  countHealth(metrics, upstreams);
  const http = await createHttpServer({
    settings: ownSettings(settings),
    logger,
    clock: realClock(),
    metrics,
    // It keeps no answers, so nothing has to be unsealed after a restart.
    secretKey: randomBytes(SECRET_BYTES),
    ready: async () => upstreams.ready(),
    settled: async () => {},
    verifyToken: async () => undefined,
    documents: joinDocuments(upstreams),
  });
  const forwarding = { upstreams, gatewaySecret: settings.gatewaySecret };
  gatherOperations(http, forwarding);
  healthRoute(http, upstreams);
  countStreams(metrics, await forwardRequests(http, forwarding));
  let listening = '';
  return {
    http,
    url: () => listening,
    async start() {
      await upstreams.start();
      listening = await http.listen();
    },
    async stop() {
      upstreams.stop();
      await http.stop();
    },
  };
}

/** Nobody stands before the gateway who could prove anything to it: whom it believes is in `trustedProxies`. */
function ownSettings({ gatewaySecret: _secret, ...own }: GatewaySettings): Omit<GatewaySettings, 'gatewaySecret'> {
  return own;
}

function healthRoute({ fastify }: HttpServer, upstreams: Upstreams): void {
  const open = { config: { access: 'anyone' as const, rateLimit: false as const }, schema: { hide: true } };
  fastify.get('/health/contexts', open, () => ({ contexts: upstreams.health() }));
}

function countStreams({ registry }: Metrics, openStreams: () => number): void {
  const gauge = new Gauge({
    name: 'provender_gateway_live_streams',
    help: 'Live streams that are open right now',
    registers: [registry],
    collect() {
      gauge.set(openStreams());
    },
  });
}

function countHealth({ registry }: Metrics, upstreams: Upstreams): void {
  const gauge = new Gauge({
    name: 'provender_gateway_upstream_ready',
    help: '1 where a process of the context is ready, else 0',
    labelNames: ['context'] as const,
    registers: [registry],
    collect() {
      for (const [context, health] of Object.entries(upstreams.health())) {
        gauge.set({ context }, health === 'ready' ? 1 : 0);
      }
    },
  });
}
