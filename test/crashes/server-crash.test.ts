import { setTimeout as wait } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../support/api.ts';
import { expectNothingLost, openMarket, startLoad } from '../support/load.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** A few crashes in every run of the tests; `npm run crashes` does many. */
const CRASHES = Number(process.env['PROVENDER_CRASHES'] ?? 2);
const LOAD_AT_ONCE = 24;
const TIMEOUT = { timeout: 60_000 + CRASHES * 30_000 };

let database: TestDatabase;
let servers: ServerProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
  await database.drop();
});

async function start(port: number, publicPort = port): Promise<ServerProcess> {
  const PUBLIC_URL = `http://127.0.0.1:${publicPort}`;
  const server = await startServerProcess({ DATABASE_URL: database.url, PROVENDER_DEMO: 'on', PUBLIC_URL }, { port });
  servers.push(server);
  return server;
}

async function crash(server: ServerProcess): Promise<void> {
  servers = servers.filter((other) => other !== server);
  await server.kill();
}

/** A write is not held up where the other process is the one that consumes what it says. */
async function quickestWrite(api: Api): Promise<number> {
  const token = await api.signIn('manager@example.com', 'test');
  const milliseconds: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    const site = {
      name: 'Shop',
      kind: 'shop',
      timeZone: 'Etc/UTC',
      opensAt: '07:00',
      closesAt: '18:00',
      currency: 'EUR',
    };
    expect((await api.call('POST /api/sites', { token, body: site })).status).toBe(201);
    milliseconds.push(performance.now() - began);
  }
  return Math.min(...milliseconds);
}

describe('a server that is killed', () => {
  test(
    'given buyers, when the process is killed again and again, then nothing is lost, doubled or stuck',
    TIMEOUT,
    async () => {
      const port = await freePort();
      let server = await start(port);
      const api = openApi(`http://127.0.0.1:${port}`);
      const market = await openMarket(api);
      const load = startLoad(market, [api], LOAD_AT_ONCE);
      for (let crashes = 0; crashes < CRASHES; crashes += 1) {
        await wait(500 + randomInt(1_500));
        await crash(server);
        server = await start(port);
        const back = await api.call('GET /api/sites');
        expect(back.status).toBe(200);
      }
      await wait(500);
      await load.end();
      expect(load.asks.length).toBeGreaterThan(100);
      expect(load.seen.filter(({ status }) => status === 500)).toEqual([]);
      await expectNothingLost(market, api, load.asks);
      api.close();
    },
  );

  test(
    'given two processes on one database, when one is killed, then the other goes on with its work and its own',
    TIMEOUT,
    async () => {
      const [first, second] = [await freePort(), await freePort()];
      const [one] = [await start(first), await start(second, first)];
      const apis = [first, second].map((port) => openApi(`http://127.0.0.1:${port}`));
      const [, survivor] = apis;
      if (survivor === undefined) throw new Error('No second process');
      expect(await quickestWrite(survivor)).toBeLessThan(1_000);
      const market = await openMarket(survivor);
      const load = startLoad(market, apis, LOAD_AT_ONCE);
      await wait(1_500);
      await crash(one);
      const killedAt = performance.now();
      await wait(1_500);
      await load.end();
      const afterwards = load.seen.filter(({ at, status }) => at > killedAt && status === 201);
      expect(afterwards.length).toBeGreaterThan(20);
      expect((afterwards[0]?.at ?? Infinity) - killedAt).toBeLessThan(5_000);
      expect(load.seen.filter(({ status }) => status === 500)).toEqual([]);
      await expectNothingLost(market, survivor, load.asks);
      for (const api of apis) api.close();
    },
  );
});
