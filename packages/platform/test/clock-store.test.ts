import { formatInstant, HOUR, instant, MINUTE } from '@provender/kernel';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clockText, openClock, openClockOrigin, parseClock, readClock, scaledClock } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

const NOON = Date.parse('2026-11-21T12:00:00.000Z');
const made: TestDatabase[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(async () => {
  for (const database of made) await database.drop();
});

async function database(): Promise<string> {
  const one = await createTestDatabase();
  made.push(one);
  return one.url;
}

function passes(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

async function storedClocks(url: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query("SELECT to_regclass('platform.clock') AS clock")).rows;
  } finally {
    await client.end();
  }
}

describe('the stored clock', () => {
  test('given an empty database, when opened at real time, then it is the wall clock and nothing is stored', async () => {
    const url = await database();
    const clock = await openClock(url, { rate: 1 });
    passes(HOUR);

    expect(clock.now()).toBe(NOON + HOUR);
    expect(await storedClocks(url)).toEqual([{ clock: null }]);
  });

  test('given a fast clock, when opened again later, then it has gone on and shows the same in every process', async () => {
    const url = await database();
    const first = await openClock(url, { rate: 60 });
    expect(first.now()).toBe(NOON);
    passes(MINUTE);
    const second = await openClock(url, { rate: 60 });

    expect(second.now()).toBe(NOON + HOUR);
    expect(first.now()).toBe(second.now());
    expect(second.rate).toBe(60);
  });

  test('given another rate, when opened, then time goes on from where it is and never back', async () => {
    const url = await database();
    await openClock(url, { rate: 60 });
    passes(MINUTE);
    const slower = await openClock(url, { rate: 2 });
    expect(slower.now()).toBe(NOON + HOUR);
    passes(MINUTE);

    expect(slower.now()).toBe(NOON + HOUR + 2 * MINUTE);
    expect((await openClock(url, { rate: 2 })).now()).toBe(slower.now());
  });

  test('given a fast run before, when opened at real time, then it keeps the lead that business time has', async () => {
    const url = await database();
    await openClock(url, { rate: 60 });
    passes(MINUTE);
    const real = await openClock(url, { rate: 1 });
    passes(MINUTE);

    expect(real.now()).toBe(NOON + HOUR + MINUTE);
    expect(real.rate).toBe(1);
    expect((await openClock(url, { rate: 1 })).now()).toBe(real.now());
  });

  test('given a fast clock, when a command only reads it, then it shows the same and leaves it as it is', async () => {
    const url = await database();
    expect((await readClock(url)).now()).toBe(NOON);
    const running = await openClock(url, { rate: 60 });
    passes(MINUTE);
    const read = await readClock(url);

    expect({ now: read.now(), rate: read.rate }).toEqual({ now: NOON + HOUR, rate: 60 });
    expect((await openClock(url, { rate: 60 })).now()).toBe(running.now());
  });

  test('given ten processes, when they open it at once, then all show the same', async () => {
    const url = await database();
    const clocks = await Promise.all(Array.from({ length: 10 }, () => openClock(url, { rate: 30 })));
    passes(1_234);

    expect(new Set(clocks.map((clock) => clock.now())).size).toBe(1);
  });

  test('given a wall clock that is set back, when read, then business time stands still until it is there again', () => {
    const clock = scaledClock({ wall: NOON, business: NOON, rate: 60 });
    passes(MINUTE);
    const before = clock.now();
    passes(-30_000);
    expect(clock.now()).toBe(before);
    passes(30_001);

    expect(clock.now()).toBe(instant(before + 60));
  });

  test('given an origin, when two databases are opened with it, then both show the same time', async () => {
    const text = '60x@2026-11-21T11:59:00.000Z/2026-11-22T00:00:00.000Z';
    const wish = parseClock(text) ?? { rate: 1 };
    const [one, other] = [await database(), await database()];
    const clocks = [await openClock(one, wish), await openClock(other, wish), await readClock(other)];

    expect(clocks.map((clock) => formatInstant(clock.now()))).toEqual(Array(3).fill('2026-11-22T01:00:00.000Z'));
    const origin = await openClockOrigin(one, { rate: 60 });
    expect(origin === undefined ? '' : clockText(origin)).toBe(text);
  });

  test('given business time is ahead, when an origin would take it back, then it is refused', async () => {
    const url = await database();
    await openClock(url, { rate: 60 });
    passes(HOUR);
    const back = openClock(url, { rate: 60, origin: { wall: Date.now(), business: Date.now() } });

    await expect(back).rejects.toThrow('business time would go back to 2026-11-21T13:00:00.000Z');
  });
});
