import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { limitKey } from './guard.ts';
import type { RouteRateLimit } from './route-types.ts';
import type { KnownTokens } from './tokens.ts';

/** Wall time. */
const MINUTE_MILLISECONDS = 60_000;
const CALLERS_COUNTED_MAX = 20_000;

/** A whole shop's staff behind one address, and a page that asks every few seconds: nobody honest meets this. */
export const GENERAL_LIMIT: RouteRateLimit = { max: 3_000, timeWindow: MINUTE_MILLISECONDS };

/** For what guesses passwords or makes accounts. The identity context has its own back-off per account beside it. */
export const STRICT_LIMIT: RouteRateLimit = { max: 60, timeWindow: MINUTE_MILLISECONDS };

/** Counts requests per caller, or per address where nobody is signed in; in this process only. */
export async function limitRates(fastify: FastifyInstance, tokens: KnownTokens): Promise<void> {
  await fastify.register(rateLimit, {
    ...GENERAL_LIMIT,
    cache: CALLERS_COUNTED_MAX,
    keyGenerator: limitKey(tokens),
    errorResponseBuilder: () => Object.assign(new Error('Too many requests'), { statusCode: 429 }),
  });
}
