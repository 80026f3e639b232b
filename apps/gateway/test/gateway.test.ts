import { request as ask, type ServerResponse } from 'node:http';
import { provenOrigin } from '@provender/platform';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Gateway, openGateway } from '../src/index.ts';
import { type FakeContext, openFakeContext, sendJson } from './fake-context.ts';

const SECRET = 'a secret of gateway and contexts, for tests';
const WAIT = { timeout: 15_000, interval: 50 };

let orders: FakeContext;
let orders2: FakeContext;
let bank: FakeContext;
let gateway: Gateway;
const sockets: { close(): void }[] = [];

beforeAll(async () => {
  orders = await openFakeContext((asked, response) => {
    if (asked.url.startsWith('/api/orders/stream')) return openStream(response);
    if (asked.url === '/api/orders/cut') return void response.destroy();
    if (asked.url === '/openapi.json') return sendJson(response, 200, documentOf('orders'));
    if (asked.url.startsWith('/api/events')) return events('orders', asked.url, response);
    return sendJson(response, 201, { by: 'first' }, { location: '/api/orders/1', 'x-request-id': 'not-this' });
  });
  orders2 = await openFakeContext((asked, response) => {
    if (asked.url === '/openapi.json') return sendJson(response, 200, documentOf('orders'));
    if (asked.url.startsWith('/api/events')) return events('orders', asked.url, response);
    return sendJson(response, 201, { by: 'second' });
  });
  bank = await openFakeContext((asked, response) => {
    if (asked.url === '/openapi.json') return sendJson(response, 200, documentOf('bank'));
    if (asked.url.startsWith('/api/events')) return events('bank', asked.url, response);
    return sendJson(response, 402, { type: '/problems/payment-declined' });
  });
  gateway = await openGateway({
    host: '127.0.0.1',
    port: 0,
    rateLimit: false,
    logLevel: 'silent',
    gatewaySecret: SECRET,
    upstreams: [
      { name: 'orders', address: orders.address },
      { name: 'orders', address: orders2.address },
      { name: 'bank', address: bank.address },
    ],
  });
  await gateway.start();
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([orders, orders2, bank].map((each) => each.kill()));
});

const PARKED = '0199aaaa-0000-7000-8000-000000000001';

/** What a context answers for its own events. Only the bank has parked one. */
function events(context: string, url: string, response: ServerResponse): void {
  if (url === '/api/events/consumers') return sendJson(response, 200, { items: [{ consumer: context }] });
  if (url === '/api/events/parked')
    return sendJson(response, 200, { items: context === 'bank' ? [{ id: PARKED }] : [] });
  if (context === 'bank' && url.includes(PARKED)) return sendJson(response, 200, { handled: 1 });
  return sendJson(response, 404, { type: '/problems/not-found' });
}

function documentOf(context: string) {
  const path = { get: { tags: [context], responses: {} } };
  return {
    openapi: '3.1.0',
    info: { title: 'Provender', version: '1.0.0' },
    components: { schemas: { Problem: { type: 'object' } } },
    paths: { [`/api/${context}`]: path, '/api/events/parked': path },
  };
}

function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  stream = response;
}

let stream: ServerResponse | undefined;

type Options = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string };

function call(path: string, options: Options = {}): Promise<Response> {
  return fetch(gateway.url() + path, { method: options.method ?? 'GET', ...options });
}

/** As it stands, where a URL parser would tidy it up. */
function callRaw(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url());
    ask({ hostname, port, path }, (answer) => resolve(answer.resume().statusCode ?? 0))
      .on('error', reject)
      .end();
  });
}

function lastAsked(path: string) {
  return [...orders.asked, ...orders2.asked].findLast(({ url }) => url.startsWith(path));
}

async function healthy(context: string, health: string): Promise<void> {
  await vi.waitFor(async () => {
    const { contexts } = (await (await call('/health/contexts')).json()) as { contexts: Record<string, string> };
    expect(contexts[context]).toBe(health);
  }, WAIT);
}

describe('given contexts that run apart', () => {
  it('when a request comes, then the context of its address gets it as it came, and its answer goes back', async () => {
    const body = '{ "odd":  "spaces" }';
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      authorization: 'Bearer token',
      'idempotency-key': 'one',
      prefer: 'respond-async',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    const answer = await call('/api/orders/with/path?a=1&b=%2F', { method: 'POST', headers, body });

    expect(answer.status).toBe(201);
    const asked = lastAsked('/api/orders/with/path');
    expect(asked).toMatchObject({ method: 'POST', url: '/api/orders/with/path?a=1&b=%2F', body, headers });
  });

  it('when a request has no trace, or a wrong one, then the context and the caller are told of the same new one', async () => {
    for (const [path, headers] of [
      ['/api/orders/untraced', {}],
      ['/api/orders/badly-traced', { traceparent: 'wrong' }],
    ] as const) {
      const answer = await call(path, { headers });
      const { traceparent } = lastAsked(path)?.headers ?? {};
      expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
      expect(answer.headers.get('traceparent')).toBe(traceparent);
    }
  });

  it('when a context refuses, then its refusal goes back', async () => {
    const answer = await call('/api/bank/deposits', { method: 'POST' });
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 402,
      body: { type: '/problems/payment-declined' },
    });
  });

  it('when a context has two processes, then both are asked', async () => {
    const by = new Set<unknown>();
    for (let count = 0; count < 4; count += 1)
      by.add(((await (await call('/api/orders')).json()) as { by: string }).by);
    expect(by).toEqual(new Set(['first', 'second']));
  });

  it('when nobody answers for an address, then it is 404', async () => {
    expect((await call('/api/nothing')).status).toBe(404);
    expect((await call('/api/ordersmore')).status).toBe(404);
    expect((await call('/api/menu')).status, 'a context that has no process here').toBe(404);
  });

  it.each(['/api/orders/../../metrics', '/api/orders/%2e%2e/%2E%2e/metrics', '/api/orders/..', '/api/orders/.\\..\\x'])(
    'when an address would climb out of its context, such as %s, then nobody is asked',
    async (path) => {
      const before = orders.asked.length + orders2.asked.length;
      expect(await callRaw(path)).toBe(404);
      expect(orders.asked.length + orders2.asked.length).toBe(before);
    },
  );

  it('when a body is too large, announced or not, then it is 413 and nobody is asked', async () => {
    const before = bank.asked.length;
    const answer = await call('/api/bank/deposits', { method: 'POST', body: 'x'.repeat(300_000) });
    expect({ status: answer.status, type: answer.headers.get('content-type') }).toEqual({
      status: 413,
      type: 'application/problem+json; charset=utf-8',
    });
    expect(bank.asked.length).toBe(before);
  });
});

describe('given headers that only a gateway may set', () => {
  it('when a caller sets them, then the context gets those of the gateway, with their proof', async () => {
    const headers = {
      'x-forwarded-for': '10.9.8.7',
      forwarded: 'for=10.9.8.7',
      'x-real-ip': '10.9.8.7',
      'x-request-id': 'mine',
      'x-provender-address': '10.9.8.7',
      'x-provender-proof': 'AAAA',
      'x-user-id': 'the-owner',
    };
    const answer = await call('/api/orders/spoofed', { headers });
    const asked = lastAsked('/api/orders/spoofed')?.headers ?? {};

    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-user-id'])
      expect(asked).not.toHaveProperty(name);
    const requestId = answer.headers.get('x-request-id') ?? '';
    expect(requestId).not.toMatch(/mine|not-this/);
    expect(provenOrigin(SECRET, asked)).toEqual({ requestId, address: '127.0.0.1' });
    expect(provenOrigin('another secret', asked)).toBeUndefined();
    expect(provenOrigin(SECRET, { ...asked, 'x-provender-address': '10.9.8.7' })).toBeUndefined();
  });
});

describe('given a context that goes away', () => {
  it('when one of two processes is killed, then the other answers and nobody notices', async () => {
    await orders2.kill();
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await call('/api/orders', { method: 'POST', body: '{}' })).status),
    );
    expect(statuses).toEqual(Array(6).fill(201));
    await orders2.revive();
  });

  it('when its only process is killed, then it is 503 with Retry-After at once, and others go on', async () => {
    await bank.kill();
    const startedAt = performance.now();
    const answer = await call('/api/bank/accounts/me');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect({
      status: answer.status,
      after: answer.headers.get('retry-after'),
      body: await answer.json(),
    }).toMatchObject({
      status: 503,
      after: '1',
      body: { type: '/problems/unavailable', status: 503 },
    });
    expect((await call('/api/orders')).status).toBe(201);
    expect((await call('/health/ready')).status).toBe(200);
    await bank.revive();
    await healthy('bank', 'ready');
    expect((await call('/api/bank/accounts/me')).status).toBe(402);
  });

  it('when it is there but not ready, then it is asked all the same: it knows best what it can', async () => {
    bank.setReady(false);
    await healthy('bank', 'unready');
    expect((await call('/api/bank/accounts/me')).status).toBe(402);
    bank.setReady(true);
    await healthy('bank', 'ready');
  });

  it('when it is cut off in the middle of a change, then it is 503 and nobody is asked twice', async () => {
    await orders2.kill();
    await call('/api/orders');
    const before = orders.asked.length;
    const answer = await call('/api/orders/cut', { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(orders.asked.slice(before).map(({ url }) => url)).toEqual(['/api/orders/cut']);
    await orders2.revive();
    await healthy('orders', 'ready');
  });
});

describe('given a live stream', () => {
  it('when events are said, then each comes through by itself, the head before the first', async () => {
    await orders2.kill();
    await call('/api/orders');
    const aborted = new AbortController();
    const answer = await fetch(`${gateway.url()}/api/orders/stream`, {
      headers: { 'last-event-id': '7' },
      signal: aborted.signal,
    });
    sockets.push({ close: () => aborted.abort() });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(lastAsked('/api/orders/stream')?.headers['last-event-id']).toBe('7');
    const reader = answer.body?.getReader();
    for (const text of ['data: one\n\n', 'data: two\n\n']) {
      stream?.write(text);
      const chunk = await reader?.read();
      expect(new TextDecoder().decode(chunk?.value)).toBe(text);
    }
    await orders2.revive();
    await healthy('orders', 'ready');
  });
});

describe('given what contexts say of themselves', () => {
  it('when the document is asked for, then it has the routes of all, also of one that is away by now', async () => {
    const paths = ['/api/bank', '/api/events/parked', '/api/orders'];
    await vi.waitFor(async () => {
      const document = (await (await call('/openapi.json')).json()) as { paths: object };
      expect(Object.keys(document.paths).sort()).toEqual(paths);
    }, WAIT);
    expect(Object.keys(((await (await call('/docs/json')).json()) as { paths: object }).paths).sort()).toEqual(paths);
    expect((await call('/docs/')).status).toBe(200);
    const asyncApi = (await (await call('/asyncapi.json')).json()) as { channels: object };
    expect(Object.keys(asyncApi.channels).sort()).toEqual(['bank', 'orders']);
  });

  it('when consumers and parked events are asked for, then they are gathered from all', async () => {
    const consumers = (await (await call('/api/events/consumers')).json()) as { items: { consumer: string }[] };
    expect(consumers.items.map(({ consumer }) => consumer).sort()).toEqual(['bank', 'orders']);
    expect(await (await call('/api/events/parked')).json()).toEqual({ items: [{ id: PARKED }] });
  });

  it('when a parked event is released, then the context that has parked it does so', async () => {
    const answer = await call(`/api/events/parked/${PARKED}/retry`, {
      method: 'POST',
      headers: { 'idempotency-key': 'r' },
    });
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { handled: 1 } });
    expect(bank.asked.at(-1)?.headers['idempotency-key']).toBe('r');
    const other = PARKED.replace(/1$/, '2');
    expect((await call(`/api/events/parked/${other}/drop`, { method: 'POST' })).status).toBe(404);
  });

  it('when one is away, then lists name it, and what may be parked there is not said to be missing', async () => {
    await bank.kill();
    await call('/api/bank/accounts/me');
    const parked = await (await call('/api/events/parked')).json();
    expect(parked).toEqual({ items: [], missing: ['bank'] });
    expect((await call(`/api/events/parked/${PARKED}/retry`, { method: 'POST' })).status).toBe(503);
    await bank.revive();
    await healthy('bank', 'ready');
  });

  it('when metrics are asked for, then they say who is there', async () => {
    const metrics = await (await call('/metrics')).text();
    expect(metrics).toContain('provender_gateway_upstream_ready{context="bank"} 1');
    expect(metrics).toContain('route="/api/orders/*"');
  });
});
