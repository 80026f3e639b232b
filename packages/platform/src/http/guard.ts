import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, RouteOptions } from 'fastify';
import { type Access, ANONYMOUS, accessRefusal, type Caller, callerName } from './access.ts';
import { PROBLEM_CONTENT_TYPE, problem, problemBody } from './problem.ts';
import type { HoldingToken, KnownTokens } from './tokens.ts';

/** A route as the server itself lists it: the authorisation matrix is checked against this list. */
export type RouteListed = { readonly method: string; readonly url: string; readonly access: Access };

/** Routes of the documentation's own pages, which a plugin registers. */
const UNGUARDED_PREFIX = '/docs';

/**
 * Nobody may do anything unless a route says so: registering one without `access` throws. Each has its own check,
 * before the body is read; there is no check by path, so no trick with paths goes around it.
 */
export function guardRoutes(fastify: FastifyInstance, tokens: KnownTokens): readonly RouteListed[] {
  const listed: RouteListed[] = [];
  // The request's own property is set by each route's check; Fastify wants to know its shape beforehand.
  fastify.decorateRequest('caller');
  fastify.addHook('onRoute', (route: RouteOptions) => {
    const { url, config } = route;
    if (url === UNGUARDED_PREFIX || url.startsWith(`${UNGUARDED_PREFIX}/`)) return;
    const access = config?.access;
    if (access === undefined) throw new Error(`The route ${String(route.method)} ${url} does not say who may call it`);
    for (const method of [route.method].flat()) listed.push({ method, url, access });
    const before = route.onRequest === undefined ? [] : [route.onRequest].flat();
    route.onRequest = [...before, config?.readsCaller === true ? callerCheck(access, tokens) : anonymousCheck];
  });
  return listed;
}

const anonymousCheck: onRequestHookHandler = (request, _reply, done) => {
  request.caller = ANONYMOUS;
  done();
};

function callerCheck(access: Access, tokens: KnownTokens): onRequestHookHandler {
  return (request, reply, done) => {
    const token = bearerToken(request.headers.authorization);
    const known = token === undefined ? ANONYMOUS : tokens.known(token);
    if (token === undefined || known !== undefined) {
      admit(request, reply, access, known ?? ANONYMOUS, done);
      return;
    }
    tokens.verify(token).then((caller) => {
      if (caller === undefined) refuseToken(reply);
      else admit(request, reply, access, caller, done);
    }, done);
  };
}

function admit(request: FastifyRequest, reply: FastifyReply, access: Access, caller: Caller, done: () => void): void {
  const refusal = accessRefusal(access, caller);
  request.caller = caller;
  if (refusal === undefined) {
    done();
  } else if (refusal === 'unauthenticated') {
    sendRefused(reply, 401, refusal, 'Sign in first: send an access token as Authorization: Bearer.', CHALLENGE);
  } else {
    sendRefused(reply, 403, refusal, 'Your roles do not allow this.', `${CHALLENGE}, error="insufficient_scope"`);
  }
}

const CHALLENGE = 'Bearer realm="provender"';

/** A token that does not hold is refused on open routes too: its sender believes to be somebody. */
function refuseToken(reply: FastifyReply): void {
  const detail = 'The access token is not valid, or no longer. Get a new one.';
  sendRefused(reply, 401, 'unauthenticated', detail, `${CHALLENGE}, error="invalid_token"`);
}

function sendRefused(reply: FastifyReply, status: number, kind: string, detail: string, challenge: string): void {
  const body = problemBody(problem(kind, { detail }), status);
  void reply.code(status).header('www-authenticate', challenge).type(PROBLEM_CONTENT_TYPE).send(body);
}

const BEARER_PATTERN = /^Bearer +([\w~+/.=-]+) *$/i;

/** The token of an Authorization header; undefined where there is none, '' (which never verifies) if it is garbled. */
function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || !/^bearer\b/i.test(header)) return undefined;
  return BEARER_PATTERN.exec(header)?.[1] ?? '';
}

/** What goes on to hold of a request's token; undefined where it has none that does. */
export function holdingToken(tokens: KnownTokens, { headers }: FastifyRequest): HoldingToken | undefined {
  const token = bearerToken(headers.authorization);
  return token === undefined ? undefined : tokens.holding(token);
}

/** Whom a limit counts: the caller where the token is one seen before, else the address. */
export function limitKey(tokens: KnownTokens): (request: FastifyRequest) => string {
  return (request) => {
    const token = bearerToken(request.headers.authorization);
    const caller = token === undefined ? undefined : tokens.known(token);
    return caller === undefined ? request.callerAddress : callerName(caller);
  };
}
