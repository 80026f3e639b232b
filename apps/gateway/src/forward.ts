import { pipeline, type Readable } from 'node:stream';
import httpProxy from '@fastify/http-proxy';
import { type ContextName, ROUTE_PREFIXES } from '@provender/contracts';
import { type HttpServer, sendProblem, type UpstreamName } from '@provender/platform';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { passedBack, passedOn } from './headers.ts';
import { type Leave, openPlaces, type Places } from './places.ts';
import type { Upstreams } from './upstreams.ts';

const CONNECT_MILLISECONDS_MAX = 2_000;
/** An order waits ten seconds for its outcome and a statement thirty: the context itself answers before this. */
const HEADERS_MILLISECONDS_MAX = 34_000;
/** A live stream says something every half minute; one that says nothing for longer is dead. */
const SILENCE_MILLISECONDS_MAX = 120_000;
const CONNECTIONS_PER_UPSTREAM_MAX = 256;
/** More than a process takes listeners: whoever comes beyond those hears so from itself. */
const LIVE_CONNECTIONS_PER_UPSTREAM_MAX = 8_192;
/** Each holds its connection for minutes: they have connections of their own, beside those of short requests. */
const LIVE_PREFIX = '/api/live';
/** Whoever finds all connections to a process taken waits for one so long, and no more than so many do. */
const WAIT_MILLISECONDS_MAX = 3_000;
const WAITING_PER_UPSTREAM_MAX = 4_096;
const RETRY_AFTER = { 'retry-after': '1' } as const;

export type Forwarding = {
  readonly upstreams: Upstreams;
  readonly gatewaySecret: string | undefined;
};

type Prefixed = { readonly name: UpstreamName; readonly prefix: string };

/** The beginnings of addresses and who answers there. What has no process here has no routes here. */
function routeTable({ names }: Upstreams): readonly Prefixed[] {
  const contexts = names.filter((name): name is ContextName => name in ROUTE_PREFIXES);
  const own = contexts.flatMap((name) => ROUTE_PREFIXES[name].map((prefix): Prefixed => ({ name, prefix })));
  return names.includes('operations') ? [...own, { name: 'operations', prefix: '/api/verify' }] : own;
}

/**
 * Sends requests on to the context that their address belongs to, as they came and as whole bodies. Gives how many live
 * streams are open.
 */
export async function forwardRequests({ fastify }: HttpServer, forwarding: Forwarding): Promise<() => number> {
  const table = routeTable(forwarding.upstreams);
  const streams = new Set<Readable>();
  // A live stream would keep the server from stopping; who listened connects again.
  fastify.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy();
  });
  const isLive = ({ prefix }: Prefixed) => prefix === LIVE_PREFIX;
  const lanes = [
    { ...forwarding, streams, table: table.filter(isLive), connectionsMax: LIVE_CONNECTIONS_PER_UPSTREAM_MAX },
    {
      ...forwarding,
      streams,
      table: table.filter((one) => !isLive(one)),
      connectionsMax: CONNECTIONS_PER_UPSTREAM_MAX,
    },
  ];
  for (const lane of lanes) if (lane.table.length > 0) await fastify.register((scope) => forwardLane(scope, lane));
  return () => streams.size;
}

/** Addresses with connections of their own: what fills these up does not hold up what goes by others. */
type Lane = Forwarding & {
  readonly table: readonly Prefixed[];
  readonly connectionsMax: number;
  readonly streams: Set<Readable>;
};

async function forwardLane(scope: FastifyInstance, lane: Lane): Promise<void> {
  const { table, connectionsMax, gatewaySecret, streams, upstreams } = lane;
  const places = openPlaces({
    placesMax: connectionsMax,
    waitingMax: WAITING_PER_UPSTREAM_MAX,
    waitMillisecondsMax: WAIT_MILLISECONDS_MAX,
  });
  acceptAnyBody(scope);
  await scope.register(httpProxy, {
    upstream: '',
    routes: table.flatMap(({ prefix }) => [prefix, `${prefix}/*`]),
    proxyPayloads: false,
    disableRequestLogging: true,
    config: { access: 'anyone', rateLimit: false },
    undici: {
      connect: { timeout: CONNECT_MILLISECONDS_MAX },
      connections: connectionsMax,
      headersTimeout: HEADERS_MILLISECONDS_MAX,
      bodyTimeout: SILENCE_MILLISECONDS_MAX,
    },
    replyOptions: {
      getUpstream: () => NOWHERE,
      // The library's types are of any server; this one speaks HTTP/1.1.
      rewriteRequestHeaders: (request, headers) => passedOn(request as FastifyRequest, headers, gatewaySecret),
      rewriteHeaders: passedBack,
      onResponse: (_request, reply, { stream }) => sendBack(reply as FastifyReply, stream, streams),
    },
    preHandler: refuseSteps,
    handler: (request, reply, path, options) => send({ request, reply, path, options, table, upstreams, places }),
  });
}

/** Wanted by the library before it asks for the handler, which alone knows where to. */
const NOWHERE = 'http://nowhere.invalid';

/** Bodies go on byte by byte; what they say is for the context to judge. They are gathered first, up to the limit. */
function acceptAnyBody(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));
}

type Sending = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly path: string;
  readonly options: Parameters<FastifyReply['from']>[1];
  readonly table: readonly Prefixed[];
  readonly upstreams: Upstreams;
  readonly places: Places;
};

/** Dots and backslashes that a URL parser would take for steps, out of the context's own routes. */
const STEPS = /(^|\/)(\.|%2e){1,2}($|\/)|\\|%5c/i;

const NOTHING = 'There is nothing at this address.';

function refuseSteps(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (STEPS.test(request.url.split('?', 1)[0] ?? '')) void sendProblem(reply, 'not-found', NOTHING);
  else done();
}

function send({ request, reply, path, options, table, upstreams, places }: Sending): FastifyReply {
  const name = table.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))?.name;
  if (name === undefined) return sendProblem(reply, 'not-found', NOTHING);
  const upstream = name;
  const body = Buffer.isBuffer(request.body) ? request.body : undefined;
  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  const tried: string[] = [];

  function attempt(): FastifyReply {
    const address = chooseFree();
    if (address === undefined) return sendAway(reply, tried.length > 0);
    tried.push(address);
    places.take(address, (leave) => {
      if (leave === undefined) sendProblem(reply, 'unavailable', BUSY, RETRY_AFTER);
      else if (reply.raw.destroyed) leave();
      else ask(address, leave);
    });
    return reply;
  }

  /** The next process with a place, or the next of all where none has one. */
  function chooseFree(): string | undefined {
    const first = upstreams.choose(upstream, tried);
    const full: string[] = [];
    for (let next = first; next !== undefined; next = upstreams.choose(upstream, [...tried, ...full])) {
      if (places.isFree(next)) return next;
      full.push(next);
    }
    return first;
  }

  function ask(address: string, leave: Leave): void {
    reply.from(path, {
      ...options,
      ...(body === undefined ? {} : { body, contentType }),
      getUpstream: () => address,
      retryDelay({ res }) {
        // Called for every outcome, also for a caller who is gone. The library's types say something else of it.
        const answered = (res as unknown as { readonly stream: Readable } | undefined)?.stream;
        if (answered === undefined) leave();
        else leaveAfter(answered, reply, leave);
        // The library would ask again by itself where an answer is 503; whoever is told to come again shall come.
        return null;
      },
      onError: (_reply, { error }) => failed(address, codeOf(error.cause)),
    });
  }

  /** Another process is asked where this one took nothing, or where asking twice is as once. */
  function failed(address: string, code: string): void {
    const isUntaken = NOT_TAKEN.test(code);
    if (isUntaken) upstreams.refused(address);
    if (isUntaken || (isSafe && code !== LATE)) attempt();
    else sendAway(reply, true);
  }

  return attempt();
}

const LATE = 'UND_ERR_HEADERS_TIMEOUT';
const NOT_TAKEN = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** The connection is free once all of the answer was read, or nobody wants it any more. */
function leaveAfter(answered: Readable, { raw }: FastifyReply, leave: Leave): void {
  answered.once('close', leave);
  raw.once('close', leave);
}

const BUSY =
  'This part of the system has too much to do right now. Try again in a moment, with the same Idempotency-Key.';
const AWAY = 'This part of the system is away right now. Try again in a moment.';
const CUT_OFF = 'This part of the system went away meanwhile. Try again in a moment, with the same Idempotency-Key.';

function sendAway(reply: FastifyReply, wasTried: boolean): FastifyReply {
  return sendProblem(reply, 'unavailable', wasTried ? CUT_OFF : AWAY, RETRY_AFTER);
}

/** Passes an answer back. Live events go out as they come, their head before the first of them. */
function sendBack(reply: FastifyReply, stream: Readable, streams: Set<Readable>): void {
  // The caller has gone meanwhile, or was told something else: the answer is for nobody, and its connection free.
  if (reply.sent || reply.raw.headersSent || reply.raw.destroyed) return void stream.destroy();
  if (!String(reply.getHeader('content-type')).startsWith('text/event-stream')) return void reply.send(stream);
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.statusCode = reply.statusCode;
  raw.flushHeaders();
  streams.add(stream);
  // However it ends, both sides end: the library has no more to say, and the caller connects again.
  pipeline(stream, raw, () => streams.delete(stream));
}
