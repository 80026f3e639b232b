import './fastify-types.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema, TUndefined } from 'typebox';
import type { Tx } from '../database.ts';
import { traced } from '../trace.ts';
import type { Access } from './access.ts';
import { isReady, rendered, send, sendReady, sendRefusal } from './answers.ts';
import { isKept } from './idempotency.ts';
import { withPlainNullables } from './nullable.ts';
import { commonProblems, isRefused, type Problems, type Refused } from './problem.ts';
import { queryReader } from './query-text.ts';
import type {
  CommandRoute,
  HttpApp,
  KeyedRequest,
  Method,
  NoMembers,
  ReadRoute,
  ResponseSchemas,
  RouteRateLimit,
  WriteRoute,
} from './route-types.ts';

/** Registers a GET: the handler gives the body of the 200, or refuses. */
export function read<
  const Admitted extends Access,
  Body extends TSchema,
  Params extends TSchema = NoMembers,
  Query extends TSchema = NoMembers,
  const Kinds extends Problems = Record<never, never>,
>(app: HttpApp, route: ReadRoute<Admitted, Params, Query, Body, Kinds>): void {
  const kinds: Problems = route.problems ?? {};
  const { handle } = route;

  async function handler(request: FastifyRequest, reply: FastifyReply) {
    const { params, query, caller, traceparent } = request;
    // The schemas have just said what these are; the access check what the caller is.
    const wanted = { params, query, caller, now: app.clock.now(), traceparent } as Parameters<typeof handle>[0];
    const outcome = await handle(wanted);
    if (isRefused(outcome)) return sendRefusal(reply, outcome, kinds);
    if (isReady(outcome)) return sendReady(request, reply, outcome);
    return reply.sent ? undefined : outcome;
  }

  const { params, querystring, response } = route.schema;
  register(app, route, { params, querystring, response: { 200: response } }, handler);
}

/**
 * Registers a change that is one transaction: the effect and the answer kept for its Idempotency-Key commit together.
 * The answer goes out when the contexts of this process have consumed what was said (two seconds at most).
 * A handler decides before it writes: what it wrote before a refusal is committed with it. It may run more than once.
 */
export function write<
  const Admitted extends Access,
  Responses extends ResponseSchemas,
  Params extends TSchema = NoMembers,
  Query extends TSchema = NoMembers,
  Body extends TSchema = TUndefined,
  const Kinds extends Problems = Record<never, never>,
  Prepared = undefined,
>(app: HttpApp, route: WriteRoute<Admitted, Params, Query, Body, Responses, Kinds, Prepared>): void {
  const kinds: Problems = route.problems ?? {};
  const { db, prepare, handle, secret = false } = route;

  async function handler(request: FastifyRequest, reply: FastifyReply) {
    const keyed = keyOf(app, request);
    if (isRefused(keyed)) return sendRefusal(reply, keyed, kinds);
    let hasSaid = false;
    let isRepeat = false;
    const { params, query, body, caller, traceparent } = request;
    const now = app.clock.now();
    // The schemas have just said what these are; the access check what the caller is.
    const wanted = { params, query, body, caller, now, traceparent } as Parameters<typeof handle>[0];
    const prepared = (await prepare?.(wanted)) as Prepared;
    const sent = await db.withTx(async (tx) => {
      hasSaid = false;
      if (keyed !== undefined) {
        const claim = await app.idempotency.claim(tx, keyed);
        if (claim.kind === 'refused') return rendered(reply, claim.refusal, kinds);
        if (claim.kind === 'repeat') {
          isRepeat = true;
          return claim.answer;
        }
      }
      const following = traced(tx, traceparent);
      const listening: Tx = {
        query: tx.query,
        append: (events) => {
          hasSaid = true;
          following.append(events);
        },
      };
      const outcome = await handle(wanted, listening, prepared);
      const result = rendered(reply, outcome, kinds);
      if (keyed !== undefined && isKept(result.status)) await app.idempotency.keep(tx, keyed, result, secret);
      return result;
    });
    if (hasSaid) await app.settled();
    return send(reply, sent, isRepeat);
  }

  register(app, route, route.schema, handler);
}

/**
 * Registers a change that is not one transaction of its own: placing an order waits for others to decide.
 * The handler binds the Idempotency-Key to its effect itself: it gets the key, its scope and the request's hash.
 */
export function command<
  const Admitted extends Access,
  Responses extends ResponseSchemas,
  Params extends TSchema = NoMembers,
  Query extends TSchema = NoMembers,
  Body extends TSchema = TUndefined,
  const Kinds extends Problems = Record<never, never>,
>(app: HttpApp, route: CommandRoute<Admitted, Params, Query, Body, Responses, Kinds>): void {
  const kinds: Problems = route.problems ?? {};
  const { handle } = route;

  async function handler(request: FastifyRequest, reply: FastifyReply) {
    const keyed = keyOf(app, request);
    if (isRefused(keyed)) return sendRefusal(reply, keyed, kinds);
    const { params, query, body, caller, traceparent } = request;
    const prefersAsync = prefersAsyncAnswer(request);
    const now = app.clock.now();
    const wanted = { params, query, body, caller, now, traceparent, idempotency: keyed, prefersAsync };
    const outcome = await handle(wanted as Parameters<typeof handle>[0]);
    return send(reply, rendered(reply, outcome, kinds), false);
  }

  register(app, route, route.schema, handler);
}

/** RFC 7240: more headers of the name, or several wishes in one. */
function prefersAsyncAnswer({ headers: { prefer } }: FastifyRequest): boolean {
  return prefer !== undefined && [prefer].flat().some((wishes) => /\brespond-async\b/i.test(wishes));
}

type Registered = {
  readonly method: Method;
  readonly url: string;
  readonly access: Access;
  readonly summary: string;
  readonly description?: string;
  readonly problems?: Problems;
  readonly rateLimit?: RouteRateLimit;
};

type RouteSchemas = {
  readonly params?: TSchema | undefined;
  readonly querystring?: TSchema | undefined;
  readonly body?: TSchema | undefined;
  readonly response: ResponseSchemas;
};

function register(
  app: HttpApp,
  route: Registered,
  { params, querystring, body, response }: RouteSchemas,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  const schema = {
    summary: route.summary,
    tags: [app.context],
    params: params ?? NO_PARAMETERS,
    querystring: querystring ?? NO_PARAMETERS,
    ...(route.method === 'GET' ? {} : { body: body ?? NO_BODY }),
    ...(route.description === undefined ? {} : { description: route.description }),
    response: Object.fromEntries(Object.entries(response).map(([status, body]) => [status, withPlainNullables(body)])),
  };
  const config = {
    access: route.access,
    problems: route.problems ?? {},
    readsCaller: true,
    ...(route.rateLimit === undefined ? {} : { rateLimit: { ...route.rateLimit } }),
  };
  const readQuery = queryReader(querystring);
  app.fastify.route({
    method: route.method,
    url: route.url,
    schema,
    config,
    handler,
    preValidation(request, reply, done) {
      const refusal = readQuery(request);
      if (refusal === undefined) done();
      else sendRefusal(reply, refusal, commonProblems);
    },
  });
}

const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false } as const;

/** A route that wants no body takes none, or an empty object; it refuses members as every other route does. */
const NO_BODY = { type: ['object', 'null'], properties: {}, additionalProperties: false } as const;

export function isNoBody(schema: unknown): boolean {
  return schema === NO_BODY;
}

function keyOf(app: HttpApp, request: FastifyRequest): KeyedRequest | Refused<'invalid-request'> | undefined {
  if (request.headers['idempotency-key'] === undefined) return undefined;
  const { headers, caller, method, url, body } = request;
  const pattern = request.routeOptions.url ?? url;
  return app.idempotency.keyOf({ headers, caller, context: app.context, method, pattern, url, body });
}
