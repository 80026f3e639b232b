import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Who a request came from, and what it is called, as the gateway has seen it. */
export type RequestOrigin = { readonly requestId: string; readonly address: string };

/**
 * What only the gateway may set. It takes them away from what comes in, and a context believes them with a proof only.
 */
export const GATEWAY_HEADERS = {
  requestId: 'x-request-id',
  address: 'x-provender-address',
  proof: 'x-provender-proof',
} as const;

const REQUEST_ID = /^[\w-]{1,64}$/;

/** The headers by which a context that knows the secret believes where a request came from. */
export function proveOrigin(secret: string, { requestId, address }: RequestOrigin): Record<string, string> {
  return {
    [GATEWAY_HEADERS.requestId]: requestId,
    [GATEWAY_HEADERS.address]: address,
    [GATEWAY_HEADERS.proof]: sealed(secret, requestId, address).toString('base64url'),
  };
}

/** What the headers prove; undefined where they prove nothing: then the connection says who is there. */
export function provenOrigin(secret: string, headers: IncomingHttpHeaders): RequestOrigin | undefined {
  const requestId = headers[GATEWAY_HEADERS.requestId];
  const address = headers[GATEWAY_HEADERS.address];
  const proof = headers[GATEWAY_HEADERS.proof];
  if (typeof requestId !== 'string' || typeof address !== 'string' || typeof proof !== 'string') return undefined;
  if (!REQUEST_ID.test(requestId) || isIP(address) === 0) return undefined;
  const given = Buffer.from(proof, 'base64url');
  const right = sealed(secret, requestId, address);
  return given.length === right.length && timingSafeEqual(given, right) ? { requestId, address } : undefined;
}

function sealed(secret: string, requestId: string, address: string): Buffer {
  return createHmac('sha256', secret).update(`${requestId} ${address}`).digest();
}
