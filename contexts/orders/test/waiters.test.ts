import { MINUTE, plus } from '@provender/kernel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Order, outcomeOf } from '../src/domain/order.ts';
import { readOrders } from '../src/store.ts';
import { awaitOutcomes, type OutcomeWaiters } from '../src/use-cases/await-outcome.ts';
import { holdRefused, LOAF, openShop, paymentCaptured, type Shop, unitsHeld } from './shop.ts';

let shop: Shop;
let waiters: OutcomeWaiters;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  // A process beside the one whose events decide: it hears of nothing and must look.
  waiters = awaitOutcomes(shop.running.db);
});
afterEach(() => {
  waiters.close();
  vi.useRealTimers();
});

async function placed(): Promise<Order> {
  const [outcome] = await shop.place({});
  if (outcome?.kind !== 'placed') throw new Error('It was not placed');
  return outcome.order;
}

const held = (order: Order) => unitsHeld(order.id, plus(shop.clock.now(), 2 * MINUTE));

describe('waiting for the outcome', () => {
  test('given another process that decides, then one slow look tells all who wait', async () => {
    const [paid, refused] = [await placed(), await placed()];
    const outcomes = [waiters.outcome(paid), waiters.outcome(paid), waiters.outcome(refused)];
    expect(waiters.size).toBe(2);
    await shop.hear([held(paid), paymentCaptured(paid.id)]);
    const shortages = [{ productId: LOAF, wanted: 2, available: 0 }];
    await shop.hear([holdRefused(refused.id, shortages)]);
    vi.advanceTimersByTime(1_000);
    const accepted = { kind: 'accepted', order: { id: paid.id, status: 'waiting' } };
    const rejection = { kind: 'insufficient-stock', shortages };
    expect(await Promise.all(outcomes)).toMatchObject([accepted, accepted, { kind: 'rejected', rejection }]);
    expect(waiters.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('given another process that decides and says so, then nobody waits for the slow look', async () => {
    const order = await placed();
    const outcome = waiters.outcome(order);
    // Told of something that decides nothing, and told again while it looks.
    waiters.othersCommitted();
    await shop.hear([held(order), paymentCaptured(order.id)]);
    waiters.othersCommitted();
    waiters.othersCommitted();
    expect(await outcome).toMatchObject({ kind: 'accepted', order: { id: order.id, status: 'waiting' } });
    expect(waiters.size).toBe(0);
  });

  test('given events of this process, then the answer is the same as the one read from the table', async () => {
    const order = await placed();
    const fromEvent = waiters.outcome(order);
    await shop.hear([held(order), paymentCaptured(order.id)]);
    waiters.committed(await shop.said('orders.order-paid.v1'));
    const stored = (await readOrders(shop.running.db, [order.id])).get(order.id);
    expect(await fromEvent).toEqual(stored === undefined ? undefined : outcomeOf(stored));
    expect(await fromEvent).toMatchObject({ kind: 'accepted', order: { id: order.id, status: 'waiting' } });
  });

  test('given an order that nobody decides, then its buyer waits ten seconds and no longer', async () => {
    const order = await placed();
    const outcome = waiters.outcome(order);
    vi.advanceTimersByTime(9_500);
    expect(waiters.size).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(await outcome).toBeUndefined();
    expect(waiters.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('given a server that stops, then nobody is left waiting', async () => {
    const outcome = waiters.outcome(await placed());
    waiters.close();
    expect(await outcome).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});
