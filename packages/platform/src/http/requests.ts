import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../telemetry.ts';
import { traceIdOf, traceparentOf } from '../trace.ts';
import './fastify-types.ts';
import { PROBLEM_CONTENT_TYPE, problem, problemBody } from './problem.ts';

const SLOW_MILLISECONDS = 1_000;
/** An order waits ten seconds for its outcome, the database thirty for a statement: nothing takes longer than that. */
const ANSWER_MILLISECONDS_MAX = 35_000;
const LOOK_EVERY_MILLISECONDS = 1_000;

/**
 * What every answer carries: it is data, never a page, so it loads nothing and nobody frames it, and it is for the one
 * who asked. These are the headers of helmet; the library itself put them together anew for each request (3 % of the
 * time of a small one).
 */
const EVERY_ANSWER = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
} as const;

/** Gives every request its id and trace, and every answer its headers; counts, logs, and ends what takes too long. */
export function followRequests(fastify: FastifyInstance, logger: Logger, metrics: Metrics): void {
  const underWay = new Set<FastifyReply>();
  // Fastify wants to know the shape of a request beforehand.
  fastify.decorateRequest('traceparent', '');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.traceparent = traceparentOf(request.headers['traceparent']);
    reply.headers(EVERY_ANSWER);
    reply.header('x-request-id', request.id);
    reply.header('traceparent', request.traceparent);
    underWay.add(reply);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    underWay.delete(reply);
    const milliseconds = reply.elapsedTime;
    metrics.observeRequest(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode, milliseconds);
    logRequest(logger, request, reply, milliseconds);
    done();
  });
  // One look a second at all that is under way: a timer and a signal for each request cost 8 % of a small one.
  const looking = setInterval(() => endLate(underWay), LOOK_EVERY_MILLISECONDS);
  looking.unref();
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(looking);
    done();
  });
}

const tooLate = problemBody(problem('unavailable', { detail: 'This takes too long. Try again in a moment.' }), 503);

/** The set keeps the order in which requests came, so the first that is in time ends the look. */
function endLate(underWay: Set<FastifyReply>): void {
  for (const reply of underWay) {
    if (reply.elapsedTime < ANSWER_MILLISECONDS_MAX) return;
    underWay.delete(reply);
    // A handler that ends later finds the answer sent. A stream that has begun, such as live events, may go on.
    if (reply.sent || reply.raw.headersSent) continue;
    void reply.code(503).header('retry-after', '1').type(PROBLEM_CONTENT_TYPE).send(tooLate);
  }
}

/** A line for each request at the level debug; those that failed or took long are warnings. */
function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply, elapsed: number): void {
  // Who asks whether we are ready, every second, is told no while we start: that is no failure.
  const isFailure = reply.statusCode >= 500 && request.routeOptions.url !== '/health/ready';
  const isNoteworthy = isFailure || elapsed >= SLOW_MILLISECONDS;
  if (!isNoteworthy && !logger.isLevelEnabled('debug')) return;
  const { id: requestId, method, routeOptions } = request;
  const milliseconds = Math.round(elapsed * 10) / 10;
  const traceId = traceIdOf(request.traceparent);
  const fields = { requestId, traceId, method, route: routeOptions.url, status: reply.statusCode, milliseconds };
  if (isNoteworthy) logger.warn(fields, 'request');
  else logger.debug(fields, 'request');
}
