import { formatInstant, MINUTE, plus, SECOND } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Bakery,
  BOTTLE,
  COFFEE,
  DONUT,
  LOAF,
  openBakery,
  orderCancelled,
  orderDelivered,
  orderPaid,
  orderPlaced,
  orderRejected,
  SHOP,
  UNKNOWN,
} from './bakery.ts';

let bakery: Bakery;
beforeAll(async () => {
  bakery = await openBakery();
});
afterAll(() => bakery.close());

/** Takes everything off the shelves that earlier tests have left there. */
async function clearShelves(): Promise<void> {
  await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body: { siteId: SHOP, kind: 'closing' } });
}

async function saidOf(orderId: string): Promise<unknown[]> {
  const events = await bakery.said();
  return events.filter(({ subject }) => subject === orderId).map(({ type, data }) => ({ type, data }));
}

async function typesOf(orderId: string): Promise<string[]> {
  const events = await bakery.said();
  return events.filter(({ subject }) => subject === orderId).map(({ type }) => type.split('.')[1] ?? '');
}

async function holdOf(orderId: string): Promise<string | undefined> {
  const [row] = await bakery.sql<{ state: string }>('SELECT state FROM inventory.holds WHERE order_id = $1', [orderId]);
  return row?.state;
}

describe('A hold', () => {
  test('given enough on the shelf, when an order is placed, then the oldest units are set aside for two minutes', async () => {
    await clearShelves();
    const old = await bakery.bake(2, { madeAt: formatInstant(plus(bakery.clock.now(), -10 * MINUTE)) });
    const young = await bakery.bake(2);
    const orderId = await bakery.orderOf([DONUT, 3]);
    expect(await bakery.states(old)).toEqual({ held: 2 });
    expect(await bakery.states(young)).toEqual({ held: 1, available: 1 });
    const expiresAt = formatInstant(plus(bakery.clock.now(), 2 * MINUTE));
    const staleAt = (age: number) => formatInstant(plus(bakery.clock.now(), (25 - age) * MINUTE));
    expect(await saidOf(orderId)).toEqual([
      {
        type: 'inventory.units-held.v1',
        data: {
          orderId,
          siteId: SHOP,
          expiresAt,
          units: [
            { productId: DONUT, batchId: old, staleAt: staleAt(10), quantity: 2 },
            { productId: DONUT, batchId: young, staleAt: staleAt(0), quantity: 1 },
          ],
        },
      },
    ]);
  });

  test('given too few of one product, when an order wants two products, then it gets none and is told what is short', async () => {
    await clearShelves();
    const donuts = await bakery.bake(2);
    const loaves = await bakery.bake(5, { productId: LOAF });
    const orderId = await bakery.orderOf([LOAF, 2], [DONUT, 1], [DONUT, 2], [COFFEE, 9]);
    expect(await bakery.states(donuts)).toEqual({ available: 2 });
    expect(await bakery.states(loaves)).toEqual({ available: 5 });
    expect(await holdOf(orderId)).toBeUndefined();
    const shortages = [{ productId: DONUT, wanted: 3, available: 2 }];
    expect(await saidOf(orderId)).toEqual([
      { type: 'inventory.hold-refused.v1', data: { orderId, siteId: SHOP, shortages } },
    ]);
  });

  test('given an order of coffee alone, when it is placed, then it is accepted without a hold', async () => {
    const orderId = await bakery.orderOf([COFFEE, 2]);
    expect(await typesOf(orderId)).toEqual(['units-held']);
    expect(await holdOf(orderId)).toBeUndefined();
    await bakery.hear([orderPaid(orderId, 0), orderDelivered(orderId)]);
    expect(await typesOf(orderId)).toEqual(['units-held']);
  });

  test('given donuts that go stale when the hold would end, when one is ordered, then it is refused', async () => {
    await clearShelves();
    const batch = await bakery.bake(1, { madeAt: formatInstant(plus(bakery.clock.now(), -23 * MINUTE)) });
    const orderId = await bakery.orderOf([DONUT, 1]);
    expect(await typesOf(orderId)).toEqual(['hold-refused']);
    expect(await bakery.states(batch)).toEqual({ available: 1 });
    const fresher = await bakery.bake(1, { madeAt: formatInstant(plus(bakery.clock.now(), 1 - 23 * MINUTE)) });
    await bakery.orderOf([DONUT, 1]);
    expect(await bakery.states(fresher)).toEqual({ held: 1 });
  });

  test('given an unknown site and an unknown product, when they are ordered, then the orders are refused', async () => {
    const elsewhere = bakery.nextId();
    await bakery.hear([orderPlaced({ orderId: elsewhere, siteId: UNKNOWN })]);
    const nothing = await bakery.orderOf([UNKNOWN, 1]);
    expect(await typesOf(elsewhere)).toEqual(['hold-refused']);
    expect(await typesOf(nothing)).toEqual(['hold-refused']);
  });

  test('given one donut, when 200 orders for it come in one set, then the first gets it and the others none', async () => {
    await clearShelves();
    const batch = await bakery.bake(1);
    const orderIds = Array.from({ length: 200 }, () => bakery.nextId());
    await bakery.hear(orderIds.map((orderId) => orderPlaced({ orderId })));
    const [unit] = await bakery.units(batch);
    expect(unit?.orderId).toBe(orderIds[0]);
    const said = (await bakery.said()).filter(({ subject }) => orderIds.includes(subject));
    expect(said.filter(({ type }) => type === 'inventory.units-held.v1')).toHaveLength(1);
    expect(said.filter(({ type }) => type === 'inventory.hold-refused.v1')).toHaveLength(199);
  });

  test('given 10 donuts, when orders come from many sides at once, then 10 are sold and each once', async () => {
    await clearShelves();
    const batch = await bakery.bake(10);
    const orderIds = Array.from({ length: 40 }, () => bakery.nextId());
    await Promise.all(orderIds.map((orderId) => bakery.hear([orderPlaced({ orderId })])));
    const owners = (await bakery.units(batch)).map(({ orderId }) => orderId);
    expect(new Set(owners).size).toBe(10);
    expect(owners.every((owner) => orderIds.includes(owner ?? ''))).toBe(true);
  });
});

describe('A paid order', () => {
  test('given a hold, when the order is paid, then its units are allocated, and sold when it is delivered', async () => {
    const batch = await bakery.bake(2, { productId: LOAF });
    const orderId = await bakery.orderOf([LOAF, 2]);
    await bakery.hear([orderPaid(orderId, 2)]);
    expect(await bakery.states(batch)).toEqual({ allocated: 2 });
    expect(await holdOf(orderId)).toBe('allocated');
    await bakery.hear([orderDelivered(orderId)]);
    expect((await bakery.units(batch)).map(({ walk }) => walk)).toEqual(
      Array(2).fill('available batch, held, allocated, sold'),
    );
    expect(await holdOf(orderId)).toBe('sold');
    expect(await typesOf(orderId)).toEqual(['units-held', 'units-allocated', 'units-sold']);
    const sold = (await saidOf(orderId)).at(-1) as { data: { units: unknown[] } };
    expect(sold.data.units).toEqual([
      {
        productId: LOAF,
        batchId: batch,
        staleAt: formatInstant(plus(bakery.clock.now(), 3 * 24 * 60 * MINUTE)),
        quantity: 2,
        cost: { amount: 160, currency: 'EUR' },
      },
    ]);
  });

  test('given a counter sale, when it is paid, then its units are sold at once', async () => {
    const batch = await bakery.bake(1, { productId: LOAF });
    const orderId = await bakery.orderOf([LOAF, 1]);
    await bakery.hear([orderPaid(orderId, 1, true)]);
    expect(await bakery.states(batch)).toEqual({ sold: 1 });
    expect(await typesOf(orderId)).toEqual(['units-held', 'units-sold']);
  });

  test('given orders that are placed, paid and delivered in one set, when it is heard, then all steps are taken', async () => {
    const batch = await bakery.bake(2, { productId: LOAF });
    const [one, two] = [bakery.nextId(), bakery.nextId()];
    await bakery.hear([
      orderPlaced({ orderId: one, lines: [[LOAF, 1]] }),
      orderPlaced({ orderId: two, lines: [[LOAF, 1]] }),
      orderPaid(one, 1),
      orderPaid(two, 1, true),
      orderDelivered(one),
    ]);
    expect(await bakery.states(batch)).toEqual({ sold: 2 });
  });

  test('given a hold that has ended, or lost a unit, when the order is paid, then it is said that there is nothing', async () => {
    await clearShelves();
    const batch = await bakery.bake(4, { productId: BOTTLE });
    const gone = await bakery.orderOf([BOTTLE, 1]);
    const fewer = await bakery.orderOf([BOTTLE, 2]);
    await bakery.hear([orderRejected(gone)]);
    await bakery.hear([orderPaid(gone, 1), orderPaid(fewer, 3), orderPaid(UNKNOWN, 1)]);
    expect(await typesOf(gone)).toEqual(['units-held', 'units-released', 'allocation-failed']);
    expect(await typesOf(fewer)).toEqual(['units-held', 'allocation-failed']);
    expect(await typesOf(UNKNOWN)).toEqual(['allocation-failed']);
    await bakery.hear([orderRejected(fewer)]);
    expect(await bakery.states(batch)).toEqual({ available: 4 });
  });
});

describe('An order that comes to nothing', () => {
  test('given a hold, when the order is rejected, then its units are free again, and twice is once', async () => {
    const batch = await bakery.bake(1, { productId: LOAF });
    const orderId = await bakery.orderOf([LOAF, 1]);
    await bakery.hear([orderRejected(orderId)]);
    await bakery.hear([orderRejected(orderId), orderCancelled(orderId), orderDelivered(orderId)]);
    expect((await bakery.units(batch)).map(({ walk }) => walk)).toEqual(['available batch, held, available rejected']);
    expect(await typesOf(orderId)).toEqual(['units-held', 'units-released']);
    await clearShelves();
  });

  test('given a hold that nobody pays, when two minutes and a quarter are over, then it has ended', async () => {
    await clearShelves();
    const batch = await bakery.bake(1);
    const orderId = await bakery.orderOf([DONUT, 1]);
    await bakery.advanceTo(plus(bakery.clock.now(), 2 * MINUTE - 1));
    expect(await bakery.states(batch)).toEqual({ held: 1 });
    await bakery.advanceTo(plus(bakery.clock.now(), 16 * SECOND));
    expect((await bakery.units(batch)).map(({ walk }) => walk)).toEqual(['available batch, held, available expired']);
    expect(await holdOf(orderId)).toBe('expired');
    expect(await typesOf(orderId)).toEqual(['units-held', 'units-released']);
    await bakery.hear([orderPaid(orderId, 1)]);
    expect((await typesOf(orderId)).at(-1)).toBe('allocation-failed');
  });

  test('given more ended holds than one transaction ends, when their time has come, then all have ended', async () => {
    await clearShelves();
    await bakery.bake(600, { productId: BOTTLE });
    const orderIds = Array.from({ length: 600 }, () => bakery.nextId());
    await bakery.hear(orderIds.map((orderId) => orderPlaced({ orderId, lines: [[BOTTLE, 1]] })));
    await bakery.advanceTo(plus(bakery.clock.now(), 2 * MINUTE + 20 * SECOND));
    const [left] = await bakery.sql<{ count: string }>("SELECT count(*) FROM inventory.holds WHERE state = 'held'");
    expect(left?.count).toBe('0');
  });

  test('given an allocation, when the order is cancelled, then fresh units are free again and stale ones thrown out', async () => {
    await clearShelves();
    const donuts = await bakery.bake(1);
    const loaves = await bakery.bake(1, { productId: LOAF });
    const orderId = await bakery.orderOf([DONUT, 1], [LOAF, 1]);
    await bakery.hear([orderPaid(orderId, 2)]);
    await bakery.advanceTo(plus(bakery.clock.now(), 25 * MINUTE));
    expect(await bakery.states(donuts)).toEqual({ allocated: 1 });
    await bakery.hear([orderCancelled(orderId)]);
    expect((await bakery.units(donuts)).map(({ walk }) => walk)).toEqual([
      'available batch, held, allocated, discarded stale',
    ]);
    expect(await bakery.states(loaves)).toEqual({ available: 1 });
    const said = (await bakery.said('inventory.units-discarded.v1')).find(({ subject }) => subject === orderId);
    expect(said?.data).toMatchObject({ siteId: SHOP, reason: 'stale', wasOnShelf: false, orderId });
  });
});
