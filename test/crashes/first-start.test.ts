import { randomInt } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { made } from '../support/town.ts';

const TIMES = Number(process.env['PROVENDER_CRASHES'] ?? 2);
const TIMEOUT = { timeout: 60_000 + TIMES * 20_000 };

let database: TestDatabase;
let server: ServerProcess | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await server?.stop();
  await database.drop();
});

function env(): Record<string, string> {
  return { DATABASE_URL: database.url, PROVENDER_DEMO: 'on' };
}

describe('the first start', () => {
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
