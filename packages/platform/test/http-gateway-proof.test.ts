import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, proveOrigin, read, STRICT_LIMIT } from '../src/http/index.ts';
import { openToyHttp, type ToyOptions } from './http-toy.ts';
import { CLOSED } from '@provender/contracts';
import { Type } from 'typebox';

const SECRET = 'a secret that gateway and contexts share';
const REAL = '203.0.113.7';
const OTHER = '203.0.113.8';
const NOBODY = 250;

let server: HttpServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function open(options: ToyOptions): Promise<FastifyInstance> {
  server = await openToyHttp({
    ...options,
    routes: (app) =>
      read(app, {
        method: 'GET',
        url: '/api/toys',
        access: 'anyone',
        summary: 'All toys',
        rateLimit: STRICT_LIMIT,
        schema: { response: Type.Object({}, CLOSED) },
        handle: async () => ({}),
      }),
  });
  return server.fastify;
}

/** How often an address is answered before it is asked to wait. */
async function answered(fastify: FastifyInstance, headersOf: (count: number) => Record<string, string>) {
  let count = 0;
  while (count < 2 * STRICT_LIMIT.max) {
    const { statusCode } = await fastify.inject({ url: '/api/toys', headers: headersOf(count) });
    if (statusCode === 429) break;
    count += 1;
  }
  return count;
}

describe('given requests that say where they come from', () => {
  it('when they prove it, then limits count that address, and the request keeps its id', async () => {
    const fastify = await open({ rateLimit: true, gatewaySecret: SECRET });
    const from = (address: string, count: number) => proveOrigin(SECRET, { requestId: `id-${count}`, address });
    const answer = await fastify.inject({ url: '/api/toys', headers: from(REAL, 1) });
    expect(answer.headers['x-request-id']).toBe('id-1');
    expect(await answered(fastify, (count) => from(REAL, count))).toBe(STRICT_LIMIT.max - 1);
    expect(await answered(fastify, (count) => from(OTHER, count))).toBe(STRICT_LIMIT.max);
  });

  it.each<[string, ToyOptions, (count: number) => Record<string, string>]>([
    ['with another secret', { gatewaySecret: SECRET }, (count) => proveOrigin('wrong', origin(count))],
    [
      'with a proof of another address',
      { gatewaySecret: SECRET },
      (count) => ({ ...proof(NOBODY), ...address(count) }),
    ],
    ['with no proof', { gatewaySecret: SECRET }, address],
    ['to a server that knows no secret', {}, proof],
    ['in X-Forwarded-For', { gatewaySecret: SECRET }, (count) => ({ 'x-forwarded-for': `10.0.0.${count}` })],
  ])('when they say it %s, then the connection alone counts', async (_how, options, headersOf) => {
    const fastify = await open({ rateLimit: true, ...options });
    const answer = await fastify.inject({ url: '/api/toys', headers: headersOf(0) });
    expect(answer.headers['x-request-id']).not.toMatch(/^id-/);
    expect(await answered(fastify, headersOf)).toBe(STRICT_LIMIT.max - 1);
  });

  it('when a proxy that is trusted says it, then the address that it names is counted, and no further one', async () => {
    const fastify = await open({ rateLimit: true, trustedProxies: ['127.0.0.1'] });
    const spoofed = (count: number) => ({ 'x-forwarded-for': `10.0.0.${count}, ${REAL}` });
    expect(await answered(fastify, spoofed)).toBe(STRICT_LIMIT.max);
    expect(await answered(fastify, () => ({ 'x-forwarded-for': OTHER }))).toBe(STRICT_LIMIT.max);
  });
});

function origin(count: number) {
  return { requestId: `id-${count}`, address: `10.0.0.${count}` };
}

function proof(count: number): Record<string, string> {
  return proveOrigin(SECRET, origin(count));
}

function address(count: number): Record<string, string> {
  return { 'x-request-id': `id-${count}`, 'x-provender-address': `10.0.0.${count}` };
}
