import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectNothingLost, openMarket, startLoad } from '../support/load.ts';
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts';

const LOAD_AT_ONCE = 8;
/** Ten seconds are more than eight hours: bakings, sweeps and, sooner or later, closings come while people buy. */
const RATE = '3000x';

let database: TestDatabase;
let server: ServerProcess | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await server?.stop();
  await database.drop();
});

test('given a day that passes in half a minute, when people buy all the time and the process is killed, then every promise holds', {
  timeout: 120_000,
}, async () => {
  const port = await freePort();
  const env = { DATABASE_URL: database.url, PROVENDER_DEMO: 'on', PROVENDER_CLOCK: RATE };
  server = await startServerProcess(env, { port });
  const { api } = server;
  const market = await openMarket(api);
  const load = startLoad(market, [api], LOAD_AT_ONCE);
  await wait(3_000);
  await server.kill();
  server = await startServerProcess(env, { port });
  await wait(3_000);
  await load.end();
  expect(load.asks.length).toBeGreaterThan(20);
  expect(load.seen.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
  await expectNothingLost(market, server.api, load.asks);
});
