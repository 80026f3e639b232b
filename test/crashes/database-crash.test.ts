import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectNothingLost, openMarket, startLoad } from '../support/load.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

const CRASHES = Number(process.env['PROVENDER_CRASHES'] ?? 1);
const LOAD_AT_ONCE = 16;
const BACK_MILLISECONDS_MAX = 10_000;
/** More than five deaths in a minute, and the launcher lets it rest: whoever kills it more often must wait. */
const PAUSE_MILLISECONDS = CRASHES > 1 ? 15_000 : 1_500;

let folder: string;
let server: ServerProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'provender-crash-'));
  server = await startServerProcess({ PROVENDER_DATA: folder, PROVENDER_DEMO: 'on' });
});

afterEach(async () => {
  await server?.stop();
  stopLeftDatabase();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function databasePid(): number {
  return Number.parseInt(readFileSync(join(folder, 'cluster', 'postmaster.pid'), 'utf8'), 10);
}

/** Where the server was ended by force, its database may be left. */
function stopLeftDatabase(): void {
  try {
    process.kill(databasePid(), 'SIGINT');
  } catch {
    // It has stopped, and removed the file.
  }
}

describe('a database that is killed', () => {
  test('given buyers, when PostgreSQL is killed, then they hear 503 with Retry-After, and within ten seconds all goes on with nothing lost', {
    timeout: 90_000 + CRASHES * 40_000,
  }, async () => {
    if (server === undefined) throw new Error('No server');
    const { api } = server;
    const market = await openMarket(api);
    const load = startLoad(market, [api], LOAD_AT_ONCE);
    for (let crashes = 0; crashes < CRASHES; crashes += 1) {
      await wait(PAUSE_MILLISECONDS);
      const killedAt = performance.now();
      process.kill(databasePid(), 'SIGKILL');
      const backAt = await untilServed(load.seen, killedAt);
      const heard = load.seen.filter(({ at }) => at > killedAt).map(({ status }) => status);
      const isBack = backAt - killedAt < BACK_MILLISECONDS_MAX;
      // What was heard meanwhile and what the server has written say why it was not.
      expect(isBack ? 'back' : [crashes, countOf(heard), server.output().slice(-2_000)]).toBe('back');
    }
    await wait(1_000);
    await load.end();
    const failures = load.seen.filter(({ status }) => status >= 500);
    expect(failures.filter(({ status, retryAfter }) => status !== 503 || retryAfter === undefined)).toEqual([]);
    expect(load.asks.length).toBeGreaterThan(20);
    await expectNothingLost(market, api, load.asks);
    expect(server.output()).not.toMatch(/unhandled/i);
  });
});

function countOf(statuses: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

type Seen = readonly { readonly at: number; readonly status: number }[];

/** The moment of the first order that was made after this one and after a failure, or well after it. */
async function untilServed(seen: Seen, killedAt: number): Promise<number> {
  const settledAt = killedAt + 500;
  for (;;) {
    const failedAt = seen.find(({ at, status }) => at > killedAt && status >= 500)?.at ?? settledAt;
    const served = seen.find(({ at, status }) => at > Math.max(failedAt, settledAt) && status === 201);
    if (served !== undefined) return served.at;
    if (performance.now() > killedAt + 3 * BACK_MILLISECONDS_MAX) return Number.POSITIVE_INFINITY;
    await wait(50);
  }
}
