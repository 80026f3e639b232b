import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import formbody from '@fastify/formbody';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { ContextName } from '@provender/contracts';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../telemetry.ts';
import { answerFailure } from './failures.ts';
import { guardRoutes, holdingToken, type RouteListed } from './guard.ts';
import { idempotency } from './idempotency.ts';
import { acceptJsonOnly } from './json-body.ts';
import { limitRates } from './limits.ts';
import { completeDocument, describeRoute, openApiFrame } from './openapi.ts';
import { type Documents, documentsOf, operationsRoutes } from './operations.ts';
import { provenOrigin, type RequestOrigin } from './gateway-proof.ts';
import type { SharedCounts } from './rate-counter.ts';
import { commonProblems, PROBLEM_CONTENT_TYPE, problem, problemBody, sendProblem } from './problem.ts';
import { followRequests } from './requests.ts';
import type { HttpApp } from './route-types.ts';
import { knownTokens, type LimitCaller, type VerifyToken } from './tokens.ts';
import { formatsUnchecked, validationOptions } from './validation.ts';

const BODY_BYTES_MAX = 256 * 1_024;
const HEADER_BYTES_MAX = 16 * 1_024;
const PARAMETER_LENGTH_MAX = 200;
/** How long a caller may take to send a request. */
const REQUEST_MILLISECONDS_MAX = 30_000;
const HEADERS_MILLISECONDS_MAX = 15_000;
const CONNECTIONS_LOOKED_AT_EVERY_MILLISECONDS = 5_000;
const KEEP_ALIVE_MILLISECONDS = 72_000;
/** What is under way when the server is told to stop may take so long to end. */
const STOP_MILLISECONDS_MAX = 10_000;

export type HttpServerOptions = {
  readonly settings: {
    readonly host: string;
    readonly port: number;
    readonly rateLimit: boolean;
    readonly gatewaySecret?: string;
    readonly trustedProxies?: readonly string[];
  };
  readonly logger: Logger;
  readonly clock: Clock;
  readonly verifyToken: VerifyToken;
  /** Takes from a caller what was taken away since its token was issued. */
  readonly limitCaller?: LimitCaller;
  readonly metrics: Metrics;
  /** At least 32 bytes, the same over restarts and in every process: hashes and seals what Idempotency-Keys keep. */
  readonly secretKey: Buffer;
  readonly ready: () => Promise<boolean>;
  /** Waits, for two seconds at most, until the contexts of this process have consumed what this one has appended. */
  readonly settled: (context: ContextName) => Promise<void>;
  /** Where processes add up who asks too often; without it, each counts for itself. */
  readonly sharedCounts?: SharedCounts;
  /** What the API and the events are described by, where that is not made from the routes of this server. */
  readonly documents?: Documents;
};

export type HttpServer = {
  readonly fastify: FastifyInstance;
  /** What a context, or the server's own operations, registers its routes on. */
  app(context: ContextName | 'operations'): HttpApp;
  /** Every route with who may call it. */
  routes(): readonly RouteListed[];
  /** Starts to listen. Gives the address, with the port that was taken. */
  listen(): Promise<string>;
  /** Takes no more requests and ends those under way, after ten seconds by force. */
  stop(): Promise<void>;
};

/** Makes the HTTP server with all that every route shares. Contexts add their routes before it listens. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { settings, clock, metrics } = options;
  const tokens = knownTokens(options.verifyToken, options.limitCaller);
  const fastify = bareServer(options);
  acceptJsonOnly(fastify);
  fastify.setErrorHandler((error: FastifyError, request, reply) => answerFailure(error, request, reply));
  followRequests(fastify, options.logger, metrics);
  if (settings.rateLimit) await limitRates(fastify, tokens, options.sharedCounts);
  const routes = guardRoutes(fastify, tokens);
  const documents = options.documents ?? documentsOf(fastify);
  await documentRoutes(fastify, documents);
  operationsRoutes(fastify, { ready: options.ready, metrics, documents });
  answerUnknownRoutes(fastify, routes, settings.rateLimit);
  const keys = idempotency(options.secretKey);

  return {
    fastify,
    app: (context) => ({
      context,
      fastify,
      clock,
      idempotency: keys,
      holding: (request) => holdingToken(tokens, request),
      settled: async (source) => {
        const appended = source ?? context;
        if (appended !== 'operations') await options.settled(appended);
      },
      forms: (register) => void fastify.register(async (scope) => acceptForms(scope, register)),
    }),
    routes: () => routes.filter(({ method }) => method !== 'HEAD'),
    listen: () => fastify.listen({ host: settings.host, port: settings.port }),
    stop: () => stop(fastify),
  };
}

function bareServer({ logger, settings }: HttpServerOptions): FastifyInstance {
  // Ids are unique over processes by a random beginning and cheap by a counter.
  const processMark = randomBytes(5).toString('hex');
  let count = 0;
  const origins = new WeakMap<IncomingMessage, RequestOrigin>();
  const fastify = Fastify({
    loggerInstance: logger,
    // One logger for all requests: a child for each costs more than many a handler. Lines carry the request id.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId(request: IncomingMessage) {
      const { gatewaySecret } = settings;
      const origin = gatewaySecret === undefined ? undefined : provenOrigin(gatewaySecret, request.headers);
      if (origin !== undefined) origins.set(request, origin);
      return origin?.requestId ?? `${processMark}-${((count += 1)).toString(36)}`;
    },
    ...(settings.trustedProxies === undefined ? {} : { trustProxy: [...settings.trustedProxies] }),
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    requestTimeout: REQUEST_MILLISECONDS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    forceCloseConnections: 'idle',
    // While the server stops, what comes in on open connections is still answered; each is closed after its answer.
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MILLISECONDS_MAX,
      connectionsCheckingInterval: CONNECTIONS_LOOKED_AT_EVERY_MILLISECONDS,
    },
    ajv: validationOptions,
    serializerOpts: { ajv: { formats: formatsUnchecked } },
    frameworkErrors: (error, request, reply) => void answerFailure(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as FastifyInstance;
  fastify.decorateRequest('callerAddress', {
    getter(this: FastifyRequest) {
      return origins.get(this.raw)?.address ?? this.ip;
    },
  });
  return fastify;
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [keyof typeof commonProblems, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request took too long to arrive.'],
};

/** What is no HTTP never becomes a request; its sender gets a problem document all the same, if still there. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const [kind, detail] = CLIENT_ERRORS[error.code ?? ''] ?? ['invalid-request', 'This is not an HTTP request.'];
  const status = commonProblems[kind];
  const body = problemBody(problem(kind, { detail }), status);
  const head = `HTTP/1.1 ${status} ${kind}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** The page of the documentation loads its own files and asks this server; it styles its parts one by one. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async function documentRoutes(fastify: FastifyInstance, { openApi, refresh }: Documents): Promise<void> {
  await fastify.register(swagger, {
    openapi: openApiFrame,
    transform: describeRoute,
    transformObject: completeDocument,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  });
  await fastify.register(async (scope) => {
    scope.addHook('onRequest', async () => refresh());
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: DOCS_POLICY,
      uiConfig: { docExpansion: 'none', displayOperationId: true, validatorUrl: null },
      transformSpecification: openApi,
      transformSpecificationClone: false,
    });
  });
}

function answerUnknownRoutes(fastify: FastifyInstance, routes: readonly RouteListed[], isLimited: boolean): void {
  const handler = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = allowedMethods(routes, request.url.split('?')[0] ?? '');
    if (allowed.length === 0) return sendProblem(reply, 'not-found', 'There is nothing at this address.');
    reply.header('allow', allowed.join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return sendProblem(reply, 'method-not-allowed', `This address takes ${allowed.join(', ')}.`);
  };
  // The framework answers this method by itself before it looks for a route, and not in our words.
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.method === 'QUERY') handler(request, reply);
    else done();
  });
  if (isLimited) fastify.setNotFoundHandler({ preHandler: fastify.rateLimit() }, handler);
  else fastify.setNotFoundHandler(handler);
}

/** The methods that the address would take; none where no route is like it. */
function allowedMethods(routes: readonly RouteListed[], path: string): string[] {
  const parts = path.split('/');
  const like = routes.filter(({ url }) => {
    const wanted = url.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, index) => part.startsWith(':') || part === parts[index])
    );
  });
  return [...new Set(like.map(({ method }) => method))];
}

async function acceptForms(scope: FastifyInstance, register: (scope: FastifyInstance) => void): Promise<void> {
  scope.removeAllContentTypeParsers();
  await scope.register(formbody, { bodyLimit: BODY_BYTES_MAX });
  register(scope);
}

async function stop(fastify: FastifyInstance): Promise<void> {
  const force = setTimeout(() => fastify.server.closeAllConnections(), STOP_MILLISECONDS_MAX);
  await fastify.close();
  clearTimeout(force);
}
