import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Api, ApiAnswer } from '../support/api.ts';
import { expectNothingLost, type Market, openMarket, startLoad } from '../support/load.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { euro, made } from '../support/town.ts';

const SOON_MILLISECONDS = 2_500;
/** Five seconds in which the paused one might only be slow, and those that its loops had rested before. */
const TAKEN_OVER_MILLISECONDS_MAX = 12_000;

let database: TestDatabase;
let servers: ServerProcess[] = [];
let market: Market;
let env: Readonly<Record<string, string>>;

const LOAD_AT_ONCE = 24;

beforeAll(async () => {
  database = await createTestDatabase();
  const [first, second] = [await freePort(), await freePort()];
  env = { DATABASE_URL: database.url, PROVENDER_DEMO: 'on', PUBLIC_URL: `http://127.0.0.1:${first}` };
  // Both at once: who comes second waits for the migrations of who came first.
  servers = await Promise.all([first, second].map((port) => startServerProcess(env, { port })));
  market = await openMarket(api(0));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

function api(index: number): Api {
  const server = servers[index % servers.length];
  if (server === undefined) throw new Error('No server');
  return server.api;
}

/** The same call so many times at once, by turns over both processes. */
function atOnce(count: number, call: (api: Api, index: number) => Promise<ApiAnswer>): Promise<ApiAnswer[]> {
  return Promise.all(Array.from({ length: count }, (_item, index) => call(api(index), index)));
}

function counted(answers: readonly ApiAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function productWith(quantity: number): Promise<string> {
  const token = market.managerToken;
  const draft = { sku: `PAIR-${quantity}-${performance.now()}`, name: 'Donut', category: 'Pastry', price: euro(100) };
  const body = { ...draft, stock: 'unit', shelfLife: 'P9D' };
  const { id } = await made({ api: api(0) }, 'POST /api/products', { token, body });
  const batch = { siteId: market.siteId, productId: id, quantity };
  await made({ api: api(1) }, 'POST /api/production/batches', { token: market.staffToken, body: batch });
  return id;
}

function orderOf(productId: string) {
  return { siteId: market.siteId, lines: [{ productId, quantity: 1 }] };
}

function buyer(index: number): string {
  return market.buyers[index % market.buyers.length]?.token ?? '';
}

async function untilMenuShows(from: Api, productId: string, available: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const line = `GET /api/menu?siteId=${market.siteId}`;
    const { items } = await made<{ items: { productId: string; available: number }[] }>({ api: from }, line, {});
    const shown = items.find((item) => item.productId === productId)?.available;
    if (shown === available || performance.now() - began > 10_000) return performance.now() - began;
    await wait(50);
  }
}

describe('two processes on one database', () => {
  test('given a loaf that one bakes, when the other is asked, then both menus have it soon, and both see it go', async () => {
    const productId = await productWith(1);
    for (const each of [api(0), api(1)]) {
      expect(await untilMenuShows(each, productId, 1)).toBeLessThan(SOON_MILLISECONDS);
    }
    const sold = await api(1).call('POST /api/orders', { token: buyer(0), body: orderOf(productId) });
    expect(sold.status).toBe(201);
    for (const each of [api(0), api(1)]) {
      expect(await untilMenuShows(each, productId, 0)).toBeLessThan(SOON_MILLISECONDS);
    }
  });

  test('given one donut, when 100 buyers want it of both at once, then one gets it', { timeout: 60_000 }, async () => {
    const productId = await productWith(1);
    const answers = await atOnce(100, (each, index) => {
      return each.call('POST /api/orders', { token: buyer(index), body: orderOf(productId) });
    });
    expect(counted(answers)).toEqual({ 201: 1, 409: 99 });
  });

  test('given one key, when both get it many times at once, then it is one order and one deposit', {
    timeout: 60_000,
  }, async () => {
    const productId = await productWith(50);
    const orders = await atOnce(40, (each) => {
      return each.call('POST /api/orders', { token: buyer(1), body: orderOf(productId), key: 'one of both' });
    });
    const told = orders.filter(({ status }) => status === 201);
    expect(orders.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect(new Set(told.map(({ body }) => body['id'])).size).toBe(1);
    const body = { accountId: market.buyers[1]?.id, amount: euro(5) };
    const deposits = await atOnce(40, (each) => {
      return each.call('POST /api/bank/deposits', { token: market.managerToken, body, key: 'one of both' });
    });
    const paid = deposits.filter(({ status }) => status === 201);
    expect(new Set(paid.map(({ text }) => text)).size).toBe(1);
    expect(paid.length + (counted(deposits)['409'] ?? 0)).toBe(40);
  });

  test('given an order, when both hand it over and cancel it at once, then one thing happens to it', {
    timeout: 60_000,
  }, async () => {
    const productId = await productWith(5);
    for (let round = 0; round < 5; round += 1) {
      const placed = await api(round).call('POST /api/orders', { token: buyer(2), body: orderOf(productId) });
      const path = `/api/orders/${String(placed.body['id'])}`;
      const { staffToken: token } = market;
      await made({ api: api(round + 1) }, `PATCH ${path}`, { token, body: { status: 'ready' } });
      const answers = await atOnce(12, (each, index) => {
        if (index % 3 === 0) return each.call(`POST ${path}/cancel`, { token });
        return each.call(`PATCH ${path}`, { token, body: { status: 'delivered' } });
      });
      expect(counted(answers)).toEqual({ 200: 1, 409: 11 });
    }
    await wait(1_000);
    type Verified = { checks: { ok: boolean }[] };
    const { checks } = await made<Verified>({ api: api(1) }, 'GET /api/verify', { token: market.managerToken });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  test('given a write to either, when the other one consumes what it says, then nobody is held up', async () => {
    const hours = { timeZone: 'Etc/UTC', opensAt: '07:00', closesAt: '18:00' };
    const body = { name: 'Shop', kind: 'shop', currency: 'EUR', ...hours };
    for (const each of [api(0), api(1)]) {
      const milliseconds: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const began = performance.now();
        await made({ api: each }, 'POST /api/sites', { token: market.managerToken, body });
        milliseconds.push(performance.now() - began);
      }
      expect(Math.min(...milliseconds)).toBeLessThan(1_000);
    }
  });

  test('given both sell, when one is killed, then the other goes on with its work and its own', {
    timeout: 90_000,
  }, async () => {
    const [, survivor] = servers;
    if (survivor === undefined) throw new Error('No second process');
    const another = await openMarket(survivor.api);
    const load = startLoad(another, [api(0), api(1)], LOAD_AT_ONCE);
    await wait(1_000);
    await servers[0]?.kill();
    const killedAt = performance.now();
    await wait(1_500);
    await load.end();
    const afterwards = load.seen.filter(({ at, status }) => at > killedAt && status === 201);
    expect(afterwards.length).toBeGreaterThan(LOAD_AT_ONCE);
    expect((afterwards[0]?.at ?? Infinity) - killedAt).toBeLessThan(5_000);
    expect(load.seen.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
    await expectNothingLost(another, survivor.api, load.asks);
  });

  test('given both sell, when the one that consumes is paused, then the other takes over, and what it does late changes nothing', {
    timeout: 120_000,
  }, async () => {
    const [dead, paused] = servers;
    if (dead === undefined || paused === undefined) throw new Error('No two processes');
    // Since the test before, the other one consumes for all contexts; this one stands by.
    const survivor = await startServerProcess(env, { port: dead.port });
    servers[0] = survivor;
    const another = await openMarket(survivor.api);
    // It has work in hand, of its own and of others, at the moment when it stops.
    const interrupted = startLoad(another, [paused.api, survivor.api], LOAD_AT_ONCE);
    await wait(1_000);
    process.kill(paused.pid, 'SIGSTOP');
    const pausedAt = performance.now();
    try {
      const going = startLoad(another, [survivor.api], LOAD_AT_ONCE);
      const sold = () => going.seen.filter(({ at, status }) => at > pausedAt && status === 201);
      await vi.waitFor(() => expect(sold().length).toBeGreaterThan(LOAD_AT_ONCE), { timeout: 40_000, interval: 100 });
      expect((sold()[0]?.at ?? Infinity) - pausedAt).toBeLessThan(TAKEN_OVER_MILLISECONDS_MAX);
      await going.end();
      process.kill(paused.pid, 'SIGCONT');
      await interrupted.end();
      expect([...going.seen, ...interrupted.seen].filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
      await expectNothingLost(another, survivor.api, [...going.asks, ...interrupted.asks]);
      expect((await paused.api.call('GET /api/sites')).status).toBe(200);
    } finally {
      process.kill(paused.pid, 'SIGCONT');
    }
  });
});
