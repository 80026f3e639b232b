import { GATEWAY_HEADERS, proveOrigin } from '@provender/platform';
import type { FastifyRequest } from 'fastify';

type Headers = Record<string, string | string[] | undefined>;

/** Between two neighbours only (RFC 9110 §7.6.1), and what the sending library sets itself. */
const HOP_BY_HOP = [
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What a proxy says about a caller, or would have a server take for the request: nobody outside may say it. */
const SAID_BY_PROXIES = /^(forwarded|via|client-ip|true-client-ip|(x|cf)-.*)$/;

const NOT_PASSED_ON: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...Object.values(GATEWAY_HEADERS)]);

/**
 * The headers as a context gets them: the caller's own, without what only proxies say, and with where the request came
 * from, proven. Without a secret nothing is said of that, and contexts see the gateway's address.
 */
export function passedOn(request: FastifyRequest, given: Headers, secret: string | undefined): Headers {
  const passed: Headers = {};
  for (const [name, value] of Object.entries(given)) {
    if (!NOT_PASSED_ON.has(name) && !SAID_BY_PROXIES.test(name)) passed[name] = value;
  }
  if (request.method === 'GET' || request.method === 'HEAD') {
    // Their bodies are not read, so none may be announced.
    delete passed['content-length'];
    delete passed['content-type'];
  }
  // What the request brought, or what the gateway has begun: one trace, whoever of the two writes a line about it.
  passed['traceparent'] = request.traceparent;
  if (secret === undefined) return passed;
  return { ...passed, ...proveOrigin(secret, { requestId: request.id, address: request.ip }) };
}

/** The headers of an answer as the caller gets them: the connection is ours, and so is the request's id. */
export function passedBack(given: Headers): Headers {
  const passed = { ...given };
  for (const name of HOP_BY_HOP) delete passed[name];
  delete passed[GATEWAY_HEADERS.requestId];
  return passed;
}
