import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectNothingLost, openMarket, startLoad } from '../support/load.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { made } from '../support/town.ts';

const TIMES = Number(process.env['PROVENDER_CRASHES'] ?? 3);
const LOAD_AT_ONCE = 16;
const TIMEOUT = { timeout: 60_000 + TIMES * 20_000 };
const BACKENDS_EVERY_MILLISECONDS = 300;

let database: TestDatabase;
let admin: pg.Client;
let server: ServerProcess | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: new URL('/postgres', database.superuserUrl).href });
  await admin.connect();
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
  await admin.end();
  await database.drop();
});

function env(): Record<string, string> {
  return { DATABASE_URL: database.url, PROVENDER_DEMO: 'on' };
}

/** Ends some of the connections to the test's database, whatever they are doing. Gives how many. */
async function cutConnections(share: number): Promise<number> {
  const { rowCount } = await admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND random() < $2',
    [new URL(database.url).pathname.slice(1), share],
  );
  return rowCount ?? 0;
}

describe('interruptions', () => {
  test(
    'given buyers, when connections to the database are cut all the time, then they hear nothing worse than 503',
    TIMEOUT,
    async () => {
      server = await startServerProcess(env());
      const market = await openMarket(server.api);
      const load = startLoad(market, [server.api], LOAD_AT_ONCE);
      let cut = 0;
      for (let times = 0; times < 2 * TIMES; times += 1) {
        await wait(BACKENDS_EVERY_MILLISECONDS);
        cut += await cutConnections(times % 2 === 0 ? 0.3 : 1);
      }
      await wait(500);
      await load.end();
      expect(cut).toBeGreaterThan(5);
      expect(load.seen.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
      await expectNothingLost(market, server.api, load.asks);
    },
  );

  test(
    'given buyers, when the server is told to stop, then it ends what it has begun and goes on after',
    TIMEOUT,
    async () => {
      const port = await freePort();
      server = await startServerProcess(env(), { port });
      const { api } = server;
      const market = await openMarket(api);
      const load = startLoad(market, [api], LOAD_AT_ONCE);
      await wait(1_000);
      const began = performance.now();
      await server.stop();
      expect(performance.now() - began).toBeLessThan(12_000);
      expect(server.exitCode()).toBe(0);
      server = await startServerProcess(env(), { port });
      await load.end();
      expect(load.seen.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
      await expectNothingLost(market, server.api, load.asks);
    },
  );

  test(
    'given an empty database, when the first start is killed again and again, then the next has the whole town',
    TIMEOUT,
    async () => {
      for (let times = 0; times < TIMES; times += 1) {
        const starting = startServerProcess(env(), { killAfterMilliseconds: 500 + randomInt(2_500) }).catch(
          () => undefined,
        );
        await (await starting)?.kill();
      }
      server = await startServerProcess(env());
      const { api } = server;
      const token = await api.signIn('manager@example.com', 'test');
      const sites = await made<{ items: { id: string; name: string }[] }>({ api }, 'GET /api/sites', {});
      expect(sites.items.map(({ name }) => name).sort()).toEqual(['Harbour Bakery', 'Station Counter']);
      const station = sites.items.find(({ name }) => name === 'Station Counter')?.id;
      const menu = await made<{ items: { available: number | null }[] }>(
        { api },
        `GET /api/menu?siteId=${station}`,
        {},
      );
      expect(menu.items.length).toBeGreaterThanOrEqual(15);
      expect(menu.items.filter(({ available }) => available === 0).length).toBeLessThan(menu.items.length / 2);
      const customer = await api.signIn('customer@example.com', 'test');
      const account = await made<{ balance: { amount: number } }>({ api }, 'GET /api/bank/accounts/me', {
        token: customer,
      });
      expect(account.balance.amount).toBe(10_000);
      const verified = await made<{ checks: { ok: boolean }[] }>({ api }, 'GET /api/verify', { token });
      expect(verified.checks.filter(({ ok }) => !ok)).toEqual([]);
    },
  );
});
