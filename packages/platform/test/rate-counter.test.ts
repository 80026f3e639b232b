import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CountStore, openCountStore, openServerStore } from '../src/index.ts';
import { type Counted, openRateCounter, type RateCounter } from '../src/http/rate-counter.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

const WINDOW = 60_000;
const MAX = 60;

let database: TestDatabase;
let store: CountStore;
beforeAll(async () => {
  database = await createTestDatabase();
  await openServerStore(database.url);
  store = openCountStore(database.url);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

let wall = Date.now();
const now = () => wall;

function countTimes(counter: RateCounter, key: string, times: number): number {
  let current = 0;
  for (let time = 0; time < times; time += 1) ({ current } = counter.count(key, WINDOW, MAX));
  return current;
}

describe('the rate of one caller over processes', () => {
  test('given two processes that add up, when one has been asked to the limit, then the other knows', async () => {
    const [one, other] = [openRateCounter(store, now), openRateCounter(store, now)];
    expect(countTimes(one, 'ann', MAX)).toBe(MAX);
    await one.share();
    expect(countTimes(other, 'ann', MAX / 10)).toBe(MAX / 10);
    await other.share();
    expect(countTimes(other, 'ann', 1)).toBe(7);
    await other.share();
    expect(countTimes(other, 'ann', 1)).toBe(MAX + 8);
    await one.share();
    expect(countTimes(one, 'ann', 1)).toBe(MAX + 1);
    await one.share();
    expect(countTimes(one, 'ann', 1)).toBe(MAX + 9);
  });

  test('given two that count at the same time, then nothing that they share is lost', async () => {
    const counters = [openRateCounter(store, now), openRateCounter(store, now), openRateCounter(store, now)];
    for (let round = 0; round < 5; round += 1) {
      for (const counter of counters) for (const key of ['bob', 'cat', 'dan']) countTimes(counter, key, 10);
      await Promise.all(counters.map((counter) => counter.share()));
    }
    const totals = await store.add(['bob', 'cat', 'dan'].map((key) => ({ key, endsAt: wall + WINDOW, count: 0 })));
    expect(totals.map(({ count }) => count)).toEqual([150, 150, 150]);
  });

  test('given a window that one began, then it ends for both at that moment', async () => {
    const [one, other] = [openRateCounter(store, now), openRateCounter(store, now)];
    countTimes(one, 'eve', 20);
    await one.share();
    wall += WINDOW / 2;
    countTimes(other, 'eve', 20);
    await other.share();
    expect(other.count('eve', WINDOW, MAX)).toEqual({ current: 41, ttl: expect.closeTo(WINDOW / 2, -1) });
    wall += WINDOW / 2 + 10;
    expect(other.count('eve', WINDOW, MAX)).toEqual({ current: 1, ttl: WINDOW });
  });

  test('given somebody who is far from the limit, then it costs no query', async () => {
    const asked: (readonly Counted[])[] = [];
    const counter = openRateCounter({ add: async (counts) => (asked.push(counts), counts) }, now);
    countTimes(counter, 'fay', MAX / 10);
    await counter.share();
    expect(asked).toEqual([]);
    countTimes(counter, 'fay', 1);
    await counter.share();
    await counter.share();
    expect(asked.flat().map(({ key, count }) => [key, count])).toEqual([['fay', 7]]);
  });

  test('given a database that is away, then each goes on by what it knows, and adds it up later', async () => {
    let isAway = true;
    const added: Counted[] = [];
    const add = async (counts: readonly Counted[]) => {
      if (isAway) throw new Error('away');
      added.push(...counts);
      return counts;
    };
    const counter = openRateCounter({ add }, now);
    countTimes(counter, 'gil', 30);
    await counter.share();
    expect(countTimes(counter, 'gil', 1)).toBe(31);
    isAway = false;
    await counter.share();
    expect(added.map(({ count }) => count)).toEqual([31]);
  });

  test('given more callers than are counted, then the oldest begins anew', () => {
    const counter = openRateCounter(undefined, now);
    countTimes(counter, 'hal', 5);
    for (let caller = 0; caller < 20_000; caller += 1) counter.count(`caller ${caller}`, WINDOW, MAX);
    expect(countTimes(counter, 'hal', 1)).toBe(1);
  });
});
