import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { CONTEXT_NAMES } from '@provender/contracts';
import { readSettings, realClock, setRelayBack } from '@provender/platform';
import { describeWithKafka } from '@provender/platform/testing';
import { openServer } from '@provender/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Ask,
  askUntilAnswered,
  expectNothingLost,
  type Load,
  type Market,
  openMarket,
  startLoad,
} from '../support/load.ts';
import { TEST_ENV } from '../support/town-shape.ts';
import { type FaultTown, type Room, startFaultTown } from './fault-town.ts';

// Each fault is done to a town at work, whose contexts run in processes of their own. After each, people have all been
// answered, every order is decided, the books agree with what people were told, and every promise holds over all
// databases. `npm run faults` does the same for longer.

const IS_LONG = process.env['PROVENDER_FAULTS'] !== undefined;
const BROKER_STOPPED_MILLISECONDS = IS_LONG ? 150_000 : 2_000;
const BROKER_PAUSED_MILLISECONDS = IS_LONG ? 60_000 : 3_000;
const TIMES_EMPTIED = IS_LONG ? 3 : 1;
/** Longer than the group waits for a sign of life. */
const CONSUMER_PAUSED_MILLISECONDS = IS_LONG ? 30_000 : 7_000;
const LOOKS = IS_LONG ? 20 : 2;
const TIMES_REBALANCED = IS_LONG ? 30 : 3;
const TIMES_KILLED = IS_LONG ? 60 : 3;
const BUYERS_AT_ONCE = 4;
/** What a request may be answered with while a part of the system is away. */
const ALLOWED = new Set([200, 201, 202, 402, 409, 503]);
/** An order waits ten seconds for its outcome, and is answered a little later at most. */
const ANSWER_MILLISECONDS_MAX = 15_000;

vi.setConfig({ testTimeout: IS_LONG ? 900_000 : 120_000 });

describeWithKafka('faults while people buy', () => {
  let town: FaultTown;
  let market: Market;
  const asks: Ask[] = [];

  beforeAll(async () => {
    town = await startFaultTown();
    market = await openMarket(town.api);
  }, 120_000);

  afterAll(() => town?.close(), 60_000);

  /** Does the harm while people buy, before and after too; then all must be well. */
  async function expectWellAfter(harm: (load: Load) => Promise<void>): Promise<Load> {
    const load = startLoad(market, [town.api], BUYERS_AT_ONCE);
    await expect.poll(() => load.seen.length).toBeGreaterThan(BUYERS_AT_ONCE);
    await harm(load);
    const answered = load.seen.length;
    await expect.poll(() => load.seen.length, { timeout: 60_000 }).toBeGreaterThan(answered + BUYERS_AT_ONCE);
    await load.end();
    asks.push(...load.asks);
    expect([...new Set(load.seen.map(({ status }) => status))].filter((status) => !ALLOWED.has(status))).toEqual([]);
    expect(load.seen.filter(({ status, retryAfter }) => status === 503 && retryAfter === undefined)).toEqual([]);
    await expectNothingLost(market, town.api, asks, { verify: town.verify, patienceMilliseconds: 60_000 });
    return load;
  }

  async function republishAll(): Promise<void> {
    for (const context of CONTEXT_NAMES) {
      const url = typeof town.databases === 'string' ? town.databases : town.databases[context];
      if (url !== undefined) await setRelayBack(url, context, 1);
    }
  }

  /** People buy on: another process has taken over. */
  async function expectPurchases(load: Load): Promise<void> {
    const bought = () => load.seen.filter(({ status }) => status === 201).length;
    const before = bought();
    await expect.poll(bought, { timeout: 30_000 }).toBeGreaterThan(before + BUYERS_AT_ONCE);
  }

  /** An order of somebody who does not wait for its outcome, to be asked for again when all is well. */
  async function orderInPassing(): Promise<Ask> {
    const [buyer, productId] = [market.buyers[0], market.productIds[0]];
    const body = { siteId: market.siteId, lines: [{ productId, quantity: 1 }] };
    const ask: Ask = { line: 'POST /api/orders', token: buyer?.token ?? '', key: randomUUID(), body };
    const headers = { prefer: 'respond-async' };
    const accepted = await town.api.call(ask.line, { ...ask, headers, timeoutMilliseconds: ANSWER_MILLISECONDS_MAX });
    expect([accepted.status, accepted.headers.location]).toEqual([202, expect.stringContaining('/api/orders/')]);
    return ask;
  }

  test('given a broker that stops, when it is back, then what was accepted meanwhile is completed', () =>
    expectWellAfter(async () => {
      await town.kafka.stop();
      const ask = await orderInPassing();
      // What needs its own context alone goes on.
      expect((await town.api.call('GET /api/orders', { token: ask.token })).status).toBe(200);
      expect((await town.api.call(`GET /api/menu?siteId=${market.siteId}`)).status).toBe(200);
      await wait(BROKER_STOPPED_MILLISECONDS);
      await town.kafka.start();
      await askUntilAnswered(ask, [town.api], () => {});
      asks.push(ask);
      // Where it took longer than a hold lasts, the order was refused and what was paid is back.
      expect(IS_LONG ? [201, 409] : [201]).toContain(ask.answer?.status);
    }));

  test('given a broker that stands still, when it goes on, then people get their answers', () =>
    expectWellAfter(async () => {
      town.kafka.pause();
      await wait(BROKER_PAUSED_MILLISECONDS);
      town.kafka.resume();
    }));

  test('given a broker that has lost everything, when the logs are carried again, then nothing is missing', () =>
    expectWellAfter(async () => {
      for (let time = 0; time < TIMES_EMPTIED; time += 1) {
        await town.kafka.empty();
        await republishAll();
      }
    }));

  test('given logs that are carried again for no reason, while people buy, then nothing happens twice', () =>
    expectWellAfter(async () => {
      await republishAll();
      // A check over several databases that fires now and then while all is well would soon be believed no more.
      for (let look = 0; look < LOOKS; look += 1) {
        expect((await town.verify()).checks.filter(({ ok }) => !ok)).toEqual([]);
      }
    }));

  test('given a consumer that is paused for longer than its session, when it goes on, then its late work is refused', async () => {
    const replica = await town.startReplica('inventory');
    const paused = town.processOf('inventory').pid;
    await expectWellAfter(async (load) => {
      process.kill(paused, 'SIGSTOP');
      try {
        await wait(CONSUMER_PAUSED_MILLISECONDS);
        await expectPurchases(load);
      } finally {
        process.kill(paused, 'SIGCONT');
      }
    });
    await replica.stop();
  });

  test('given a replica that comes and goes every two seconds, while people buy, then each order is decided once', () =>
    expectWellAfter(async () => {
      for (let round = 0; round < TIMES_REBALANCED; round += 1) {
        const replica = await openReplica('orders');
        await wait(1_000);
        await replica.stop();
        await wait(1_000);
      }
    }));

  test('given processes that are killed at random, while people buy, then nothing is lost and nothing is doubled', () =>
    expectWellAfter(async () => {
      const rooms: readonly Room[] = ['orders', 'inventory', 'bank', 'people'];
      for (let killed = 0; killed < TIMES_KILLED; killed += 1) {
        await town.killAndRestart(rooms[killed < rooms.length - 1 ? killed : randomInt(rooms.length)] ?? 'orders');
        await wait(randomInt(1_000));
      }
    }));

  /** A second server of a room in this process, which no gateway knows: it only consumes. */
  async function openReplica(room: Room) {
    const settings = readSettings({ ...TEST_ENV, ...town.envOf(room), PORT: '0' });
    if (!settings.ok) throw new Error(settings.problems.join('\n'));
    const databaseUrl = settings.value.databaseUrl ?? '';
    const replica = await openServer({ settings: settings.value, databaseUrl, clock: realClock() });
    await replica.start();
    return replica;
  }
});
