import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../support/api.ts';
import { type Ask, expectNothingLost, type Market, openMarket, startLoad } from '../support/load.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** A few crashes in every run of the tests; `npm run crashes` does many. */
const CRASHES = Number(process.env['PROVENDER_CRASHES'] ?? 2);
const LOAD_AT_ONCE = 24;
const TIMEOUT = { timeout: 60_000 + CRASHES * 30_000 };
const CUT_EVERY_MILLISECONDS = 300;
const STOP_MILLISECONDS_MAX = 12_000;

let database: TestDatabase;
let admin: pg.Client;
let port: number;
let server: ServerProcess;
/** Of its own, since the port stays the same over all crashes. */
let api: Api;
let market: Market;
/** All that anybody has asked in this file. */
const asks: Ask[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: new URL('/postgres', database.superuserUrl).href });
  await admin.connect();
  port = await freePort();
  server = await start();
  api = openApi(`http://127.0.0.1:${port}`);
  market = await openMarket(api);
});

afterAll(async () => {
  await server.stop();
  api.close();
  await admin.end();
  await database.drop();
});

function start(): Promise<ServerProcess> {
  return startServerProcess({ DATABASE_URL: database.url, PROVENDER_DEMO: 'on' }, { port });
}

/** Lets people buy while something bad happens, and expects that they hear nothing worse than 503, and lose nothing. */
async function whilePeopleBuy(somethingBad: () => Promise<void>): Promise<void> {
  const load = startLoad(market, [api], LOAD_AT_ONCE);
  await wait(500);
  await somethingBad();
  await wait(500);
  await load.end();
  asks.push(...load.asks);
  expect(load.asks.length).toBeGreaterThan(LOAD_AT_ONCE);
  expect(load.seen.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
  await expectNothingLost(market, api, asks);
}

/** Ends some of the connections to the test's database, whatever they are doing. Gives how many. */
async function cutConnections(share: number): Promise<number> {
  const { rowCount } = await admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND random() < $2',
    [new URL(database.url).pathname.slice(1), share],
  );
  return rowCount ?? 0;
}

describe('one process, while people buy', () => {
  test('given it is killed again and again, then nothing is lost, doubled or stuck', TIMEOUT, async () => {
    await whilePeopleBuy(async () => {
      for (let crashes = 0; crashes < CRASHES; crashes += 1) {
        await wait(randomInt(1_500));
        await server.kill();
        server = await start();
        expect((await api.call('GET /api/sites')).status).toBe(200);
      }
    });
  });

  test(
    'given its connections to the database are cut all the time, then it goes on with new ones',
    TIMEOUT,
    async () => {
      await whilePeopleBuy(async () => {
        let cut = 0;
        for (let times = 0; times < 2 * CRASHES; times += 1) {
          cut += await cutConnections(times % 2 === 0 ? 0.3 : 1);
          await wait(CUT_EVERY_MILLISECONDS);
        }
        expect(cut).toBeGreaterThan(5);
      });
    },
  );

  test('given it is told to stop, then it ends what it has begun, with exit code 0', TIMEOUT, async () => {
    await whilePeopleBuy(async () => {
      const began = performance.now();
      await server.stop();
      expect(performance.now() - began).toBeLessThan(STOP_MILLISECONDS_MAX);
      expect(server.exitCode()).toBe(0);
      server = await start();
    });
  });
});
