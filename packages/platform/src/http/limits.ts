import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { limitKey } from './guard.ts';
import { openRateCounter, type RateCounter, type SharedCounts } from './rate-counter.ts';
import type { RouteRateLimit } from './route-types.ts';
import type { KnownTokens } from './tokens.ts';

/** Wall time. */
const MINUTE_MILLISECONDS = 60_000;
const SHARE_EVERY_MILLISECONDS = 1_000;

/** A whole shop's staff behind one address, and a page that asks every few seconds: nobody honest meets this. */
export const GENERAL_LIMIT: RouteRateLimit = { max: 3_000, timeWindow: MINUTE_MILLISECONDS };

/** For what guesses passwords or makes accounts. The identity context has its own back-off per account beside it. */
export const STRICT_LIMIT: RouteRateLimit = { max: 60, timeWindow: MINUTE_MILLISECONDS };

/**
 * Counts requests per caller, or per address where nobody is signed in; a route with a limit of its own by itself. All
 * processes that have the `shared` counts add up every second.
 */
export async function limitRates(fastify: FastifyInstance, tokens: KnownTokens, shared?: SharedCounts): Promise<void> {
  const counter = openRateCounter(shared);
  await fastify.register(rateLimit, {
    ...GENERAL_LIMIT,
    store: storeOver(counter),
    keyGenerator: limitKey(tokens),
    errorResponseBuilder: () => Object.assign(new Error('Too many requests'), { statusCode: 429 }),
  });
  const sharing = setInterval(() => void counter.share(), SHARE_EVERY_MILLISECONDS);
  sharing.unref();
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(sharing);
    done();
  });
}

type RouteInfo = { readonly routeInfo?: { readonly method: unknown; readonly url: string } };

/**
 * The counter as the library wants to see it: one store for all routes, and a child for each that has its own limit.
 */
function storeOver(counter: RateCounter): FastifyRateLimitStoreCtor {
  return class Store {
    readonly bucket: string;

    constructor(options: object) {
      // The library hands over the route beside its limit, though its types do not say so.
      const { routeInfo } = options as RouteInfo;
      this.bucket = routeInfo === undefined ? 'general' : `${String(routeInfo.method)} ${routeInfo.url}`;
    }

    incr(
      key: string,
      callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
      timeWindow: number,
      max: number,
    ): void {
      callback(null, counter.count(`${this.bucket} ${key}`, timeWindow, max));
    }

    child(route: object): Store {
      return new Store(route);
    }
  };
}
