import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { command, answer, type HttpApp, STRICT_LIMIT } from '../src/http/index.ts';
import { openToyHttp } from './http-toy.ts';

describe('given health', () => {
  it('when the server lives, then it says so, ready or not', async () => {
    const server = await openToyHttp({ ready: async () => false });
    expect((await server.fastify.inject('/health/live')).statusCode).toBe(200);
    await server.stop();
  });

  it.each([
    ['says yes', async () => true, 200],
    ['says no', async () => false, 503],
    ['fails', async () => Promise.reject(new Error('no database')), 503],
  ])('when what it depends on %s, then ready is %s', async (_what, ready, status) => {
    const server = await openToyHttp({ ready });
    const answered = await server.fastify.inject('/health/ready');
    expect(answered.statusCode).toBe(status);
    if (status === 503) expect(answered.headers['retry-after']).toBe('1');
    await server.stop();
  });
});

describe('given metrics', () => {
  it('when requests were answered, then their durations are there by route and status, not by address', async () => {
    const server = await openToyHttp();
    await server.fastify.inject('/api/toys');
    await server.fastify.inject('/api/toys/01992f60-5a3c-7c11-9d52-0c2f6f0a7b11');
    await server.fastify.inject('/api/unknown-address');
    const { body, headers } = await server.fastify.inject('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toContain(
      'provender_http_request_duration_seconds_count{method="GET",route="/api/toys",status="200"} 1',
    );
    expect(body).toContain('route="/api/toys/:id",status="401"');
    expect(body).not.toContain('unknown-address');
    await server.stop();
  });
});

describe('given the page at the root', () => {
  it('when it is opened, then it links the documentation and promises nothing', async () => {
    const server = await openToyHttp();
    const { statusCode, body, headers } = await server.fastify.inject('/');
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toContain('href="/docs"');
    await server.stop();
  });
});

describe('given limits of rate', () => {
  it('when one address asks a strict route too often, then it is 429 with Retry-After, and others go on', async () => {
    const server = await openToyHttp({ rateLimit: true, routes: strictRoute });
    const ask = (remoteAddress: string) =>
      server.fastify.inject({ method: 'POST', url: '/api/strict', remoteAddress }).then((answered) => answered);
    for (let count = 0; count < STRICT_LIMIT.max; count += 1) expect((await ask('10.0.0.1')).statusCode).toBe(204);
    const refused = await ask('10.0.0.1');
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ type: '/problems/too-many-requests', status: 429 });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('10.0.0.2')).statusCode).toBe(204);
    expect((await server.fastify.inject('/health/live')).statusCode).toBe(200);
    await server.stop();
  });

  it('when they are off, then nobody is refused', async () => {
    const server = await openToyHttp({ rateLimit: false, routes: strictRoute });
    for (let count = 0; count <= STRICT_LIMIT.max; count += 1) {
      expect((await server.fastify.inject({ method: 'POST', url: '/api/strict' })).statusCode).toBe(204);
    }
    await server.stop();
  });
});

function strictRoute(app: HttpApp): void {
  command(app, {
    method: 'POST',
    url: '/api/strict',
    access: 'anyone',
    summary: 'Strict',
    rateLimit: STRICT_LIMIT,
    schema: { response: { 204: Type.Null() } },
    handle: async () => answer(204),
  });
}

describe('given a server that is told to stop', () => {
  it('when a request is under way, then it is answered first, and no new one is taken', async () => {
    let open: (() => void) | undefined;
    const door = new Promise<void>((resolve) => {
      open = resolve;
    });
    let hasBegun: (() => void) | undefined;
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    const server = await openToyHttp({
      routes: (app) =>
        command(app, {
          method: 'POST',
          url: '/api/slow',
          access: 'anyone',
          summary: 'Waits for the door',
          schema: { response: { 204: Type.Null() } },
          async handle() {
            hasBegun?.();
            await door;
            return answer(204);
          },
        }),
    });
    const url = await server.listen();
    const underWay = fetch(`${url}/api/slow`, { method: 'POST' });
    await begun;
    const stopped = server.stop();
    open?.();
    expect((await underWay).status).toBe(204);
    await stopped;
    await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
  });
});
