import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import type { UpstreamName } from '@provender/platform';
import type { Replicas } from './replicas.ts';

/** One process of a town that runs apart. */
export type Part = {
  readonly name: string;
  readonly program: 'context' | 'operations' | 'gateway';
  /** Where it answers on this machine. */
  readonly address: string;
  readonly database: string | undefined;
  /** Its settings, beside those that all have from whoever started them. */
  readonly env: Readonly<Record<string, string>>;
};

export type LayoutWish = {
  readonly replicas: Replicas;
  /** Of the gateway: the only address that anybody outside need know. */
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly databases: Readonly<Record<ContextName, string>>;
  readonly brokers: readonly string[];
  readonly clock: string;
  readonly gatewaySecret: string;
  /** One for each process but the gateway, in the order of {@link partCount}. */
  readonly ports: readonly number[];
};

const LOOPBACK = '127.0.0.1';
/** What listens on all addresses is asked on this one. */
const EVERYWHERE = new Set(['0.0.0.0', '::', '[::]']);

/** How many processes there are beside the gateway. */
export function partCount(replicas: Replicas): number {
  return CONTEXT_NAMES.reduce((sum, context) => sum + replicas[context], 1);
}

/** Lays a town out: so many processes of each context, one that looks at all databases, and the gateway in front. */
export function layOut(wish: LayoutWish): readonly Part[] {
  const { replicas, ports, databases } = wish;
  const own = (port: number) => ({ address: `http://${LOOPBACK}:${port}`, env: { HOST: LOOPBACK, PORT: `${port}` } });
  const shared = sharedSettings(wish);
  const places = CONTEXT_NAMES.flatMap((context) =>
    Array.from({ length: replicas[context] }, (_, replica) => ({ context, replica })),
  );
  const contexts = places.map(({ context, replica }, place): Part & { readonly context: UpstreamName } => {
    const { address, env } = own(ports[place] ?? 0);
    return {
      context,
      name: replicas[context] === 1 ? context : `${context} ${replica + 1}`,
      program: 'context',
      address,
      database: new URL(databases[context]).pathname.slice(1),
      env: { ...shared, ...env, ...settingsOf(context, replica), DATABASE_URL: databases[context] },
    };
  });
  const { address, env } = own(ports[partCount(replicas) - 1] ?? 0);
  const urls = CONTEXT_NAMES.map((context) => `${context}=${databases[context]}`).join(',');
  const operations: Part = {
    name: 'operations',
    program: 'operations',
    address,
    database: undefined,
    env: { ...shared, ...env, DATABASE_URLS: urls },
  };
  const upstreams = [...contexts.map((part) => `${part.context}=${part.address}`), `operations=${address}`].join(',');
  return [...contexts, operations, gatewayOf(wish, upstreams)];
}

function sharedSettings(wish: LayoutWish): Record<string, string> {
  return {
    PUBLIC_URL: wish.publicUrl,
    TOKEN_KEYS_URL: `${gatewayAddress(wish)}/.well-known/jwks.json`,
    EVENTS: 'kafka',
    KAFKA_BROKERS: wish.brokers.join(','),
    PROVENDER_CLOCK: wish.clock,
    GATEWAY_SECRET: wish.gatewaySecret,
  };
}

/** Of several processes of one context, the first takes the port that machines connect to. */
function settingsOf(context: ContextName, replica: number): Record<string, string> {
  return replica === 0 ? { CONTEXTS: context } : { CONTEXTS: context, MQTT_PORT: '0' };
}

function gatewayAddress({ host, port }: LayoutWish): string {
  const reached = EVERYWHERE.has(host) ? LOOPBACK : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

function gatewayOf(wish: LayoutWish, upstreams: string): Part {
  const env = {
    HOST: wish.host,
    PORT: `${wish.port}`,
    UPSTREAMS: upstreams,
    GATEWAY_SECRET: wish.gatewaySecret,
  };
  return { name: 'gateway', program: 'gateway', address: gatewayAddress(wish), database: undefined, env };
}
