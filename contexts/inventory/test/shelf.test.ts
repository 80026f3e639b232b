import { formatInstant, HOUR, type Instant, instant, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GROUPS_SAID_AT_ONCE_MAX } from '../src/use-cases/throw-out.ts';
import {
  type Bakery,
  BOTTLE,
  COFFEE,
  DONUT,
  LOAF,
  NIGHT_SHOP,
  openBakery,
  orderCancelled,
  orderPaid,
  POOL,
  productDefined,
  SHOP,
  siteDefined,
} from './bakery.ts';

function at(text: string): Instant {
  return instant(Date.parse(text));
}

/** Moves on without running what falls due on the way, as if the process had been down. */
async function sleepUntil(bakery: Bakery, moment: Instant): Promise<void> {
  bakery.clock.advanceTo(moment);
  await bakery.advanceTo(moment);
}

describe('The sweep', () => {
  let bakery: Bakery;
  beforeAll(async () => {
    bakery = await openBakery();
  });
  afterAll(() => bakery.close());

  test('given donuts of 25 minutes, when a quarter of an hour strikes after they are stale, then they are off sale', async () => {
    const batch = await bakery.bake(3);
    await bakery.advanceTo(plus(bakery.clock.now(), 29 * MINUTE));
    expect(await bakery.states(batch)).toEqual({ available: 3 });
    await bakery.advanceTo(plus(bakery.clock.now(), MINUTE));
    expect((await bakery.units(batch)).map(({ walk }) => walk)).toEqual(
      Array(3).fill('available batch, discarded stale'),
    );
    const [said] = await bakery.said('inventory.units-discarded.v1');
    expect(said).toMatchObject({ key: SHOP, subject: SHOP });
    expect(said?.data).toMatchObject({
      siteId: SHOP,
      reason: 'stale',
      wasOnShelf: true,
      units: [{ productId: DONUT, batchId: batch, quantity: 3, cost: { amount: 240, currency: 'EUR' } }],
    });
  });

  test('given donuts that are held or allocated, when they go stale, then the sweep leaves them to their buyers', async () => {
    const batch = await bakery.bake(3);
    const paid = await bakery.orderOf([DONUT, 1]);
    await bakery.hear([orderPaid(paid, 1)]);
    await bakery.sql("UPDATE inventory.holds SET expires_at = expires_at + interval '1 day' WHERE state = 'held'");
    const held = await bakery.orderOf([DONUT, 1]);
    await bakery.sql("UPDATE inventory.holds SET expires_at = expires_at + interval '1 day' WHERE order_id = $1", [
      held,
    ]);
    await bakery.advanceTo(plus(bakery.clock.now(), HOUR));
    expect(await bakery.states(batch)).toEqual({ allocated: 1, held: 1, discarded: 1 });
  });

  test('given goods of more batches than an event says, when they are swept, then several events say them all', async () => {
    const madeAt = formatInstant(plus(bakery.clock.now(), -24 * MINUTE));
    const batches = Array.from({ length: GROUPS_SAID_AT_ONCE_MAX + 1 }, () =>
      bakery.batchBaked({ siteId: POOL, madeAt }),
    );
    await bakery.hear(batches);
    await bakery.advanceTo(plus(bakery.clock.now(), 15 * MINUTE));
    const said = (await bakery.said('inventory.units-discarded.v1')).filter(({ key }) => key === POOL);
    const groups = said.map(({ data }) => (data as { units: unknown[] }).units.length);
    expect(groups).toEqual([GROUPS_SAID_AT_ONCE_MAX, 1]);
  });

  test('given a unit that another transaction has just locked, when the shelf is swept, then it stays for now', async () => {
    const batch = await bakery.bake(2, { madeAt: formatInstant(plus(bakery.clock.now(), -30 * MINUTE)) });
    const [first] = await bakery.units(batch);
    await bakery.sql('BEGIN');
    await bakery.sql('SELECT FROM inventory.units WHERE id = $1 FOR UPDATE', [first?.id]);
    const body = { siteId: SHOP, kind: 'stale' };
    const swept = await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body });
    await bakery.sql('ROLLBACK');
    expect(swept.body).toEqual({ discarded: 1 });
    expect(await bakery.states(batch)).toEqual({ available: 1, discarded: 1 });
  });
});

describe('The closing', () => {
  test('given a shop, when it closes, then all but what keeps overnight, and what is sold, is thrown out', async () => {
    const bakery = await openBakery(at('2026-11-21T16:50:00.000Z'));
    const [donuts, loaves, bottles] = [
      await bakery.bake(2),
      await bakery.bake(2, { productId: LOAF }),
      await bakery.bake(2, { productId: BOTTLE }),
    ];
    const orderId = await bakery.orderOf([LOAF, 1]);
    await bakery.hear([orderPaid(orderId, 1)]);
    await bakery.advanceTo(at('2026-11-21T16:59:59.999Z'));
    expect(await bakery.states(loaves)).toEqual({ available: 1, allocated: 1 });
    await bakery.advanceTo(at('2026-11-21T17:00:00.000Z'));
    expect(await bakery.states(donuts)).toEqual({ discarded: 2 });
    expect(await bakery.states(loaves)).toEqual({ discarded: 1, allocated: 1 });
    expect(await bakery.states(bottles)).toEqual({ available: 2 });

    await bakery.hear([orderCancelled(orderId)]);
    expect(await bakery.states(loaves)).toEqual({ discarded: 2 });
    const said = await bakery.said('inventory.units-discarded.v1');
    expect(said.map(({ data }) => data)).toMatchObject([
      { reason: 'closing', wasOnShelf: true, units: [{ batchId: donuts }, { batchId: loaves }] },
      { reason: 'closing', wasOnShelf: false, orderId, units: [{ batchId: loaves }] },
    ]);
    await bakery.close();
  });

  test('given a latecomer after the closing, when the next sweep comes, then it goes; what is baked or bought after stays', async () => {
    const bakery = await openBakery(at('2026-11-21T17:01:00.000Z'));
    const late = await bakery.bake(1, { productId: LOAF, madeAt: '2026-11-21T16:59:59.000Z' });
    const after = await bakery.bake(1, { productId: LOAF, madeAt: '2026-11-21T17:00:00.000Z' });
    const body = { siteId: SHOP, productId: LOAF, quantity: 1, madeAt: '2026-11-20T10:00:00Z' };
    const bought = await bakery.http.call<{ batchId: string }>('POST /api/inventory/receipts', { as: 'staff', body });
    expect(bought.status).toBe(201);
    await bakery.advanceTo(at('2026-11-21T17:15:00.000Z'));
    expect(await bakery.states(late)).toEqual({ discarded: 1 });
    expect(await bakery.states(after)).toEqual({ available: 1 });
    expect(await bakery.states(bought.body.batchId)).toEqual({ available: 1 });
    await bakery.close();
  });

  test('given a process that was down over a closing, when it is back, then the day is ended once and the next one stays', async () => {
    const bakery = await openBakery(at('2026-11-21T12:00:00.000Z'));
    const yesterday = await bakery.bake(1, { productId: LOAF });
    bakery.clock.advanceTo(at('2026-11-22T09:00:00.000Z'));
    const today = await bakery.bake(1, { productId: LOAF });
    await sleepUntil(bakery, at('2026-11-22T09:00:00.001Z'));
    expect(await bakery.states(yesterday)).toEqual({ discarded: 1 });
    expect(await bakery.states(today)).toEqual({ available: 1 });
    const [timer] = await bakery.sql<{ due_at: Date }>(
      "SELECT due_at FROM inventory.timers WHERE name = 'closing' AND key = $1",
      [SHOP],
    );
    expect(timer?.due_at.toISOString()).toBe('2026-11-22T17:00:00.000Z');
    await bakery.close();
  });

  // Berlin: clocks go from 03:00 back to 02:00 in the night to 25 October 2026, from 02:00 on to 03:00 on 28 March
  // 2027.
  test.each([
    ['autumn, when the night has an hour more', '2026-10-24T21:59:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['spring, when the night has an hour less', '2027-03-27T22:59:00.000Z', '2027-03-28T22:00:00.000Z'],
  ])(
    'given a shop around the clock, on a DST night in %s, then its day ends at its own midnight',
    async (_night, begins, ends) => {
      const bakery = await openBakery(at(begins));
      const before = await bakery.bake(1, { siteId: NIGHT_SHOP, productId: LOAF });
      await sleepUntil(bakery, plus(at(begins), MINUTE));
      expect(await bakery.states(before)).toEqual({ discarded: 1 });
      const night = await bakery.bake(1, { siteId: NIGHT_SHOP, productId: LOAF });
      await sleepUntil(bakery, plus(at(ends), -1));
      expect(await bakery.states(night)).toEqual({ available: 1 });
      await sleepUntil(bakery, at(ends));
      expect(await bakery.states(night)).toEqual({ discarded: 1 });
      await bakery.close();
    },
  );

  test('given a vending pool, when the days end, then it only loses what is stale', async () => {
    const bakery = await openBakery(at('2026-11-21T22:50:00.000Z'));
    const donuts = await bakery.bake(1, { siteId: POOL });
    const loaves = await bakery.bake(1, { siteId: POOL, productId: LOAF });
    await sleepUntil(bakery, at('2026-11-21T23:30:00.000Z'));
    expect(await bakery.states(donuts)).toEqual({ discarded: 1 });
    expect(await bakery.states(loaves)).toEqual({ available: 1 });
    const body = { siteId: POOL, kind: 'closing' };
    const swept = await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body });
    expect(swept.body).toEqual({ discarded: 0 });
    await bakery.close();
  });

  test('given new hours, or a shop that becomes a pool, when it is said, then the closing moves or goes', async () => {
    const bakery = await openBakery(at('2026-11-21T12:00:00.000Z'));
    const due = () =>
      bakery.sql<{ due_at: Date }>("SELECT due_at FROM inventory.timers WHERE name = 'closing' AND key = $1", [SHOP]);
    await bakery.hear([siteDefined({ closesAt: '20:00' })]);
    expect((await due()).map(({ due_at }) => due_at.toISOString())).toEqual(['2026-11-21T19:00:00.000Z']);
    await bakery.hear([siteDefined({ kind: 'vending' })]);
    expect(await due()).toEqual([]);
    await bakery.close();
  });
});

describe('Batches', () => {
  let bakery: Bakery;
  beforeAll(async () => {
    bakery = await openBakery();
  });
  afterAll(() => bakery.close());

  test('given batches in one set, when they are baked, then each unit is on the shelf of its batch, with its age', async () => {
    const madeAt = formatInstant(bakery.clock.now());
    const [donuts, bottles] = [bakery.nextId(), bakery.nextId()];
    await bakery.hear([
      bakery.batchBaked({ batchId: donuts, quantity: 2, madeAt }),
      bakery.batchBaked({ batchId: bottles, productId: BOTTLE, quantity: 1, madeAt }),
    ]);
    expect((await bakery.units(donuts)).map(({ walk }) => walk)).toEqual(['available batch', 'available batch']);
    const said = await bakery.said('inventory.units-made.v1');
    expect(said.map(({ subject, data }) => ({ subject, data }))).toMatchObject([
      {
        subject: donuts,
        data: { quantity: 2, madeAt, staleAt: formatInstant(plus(bakery.clock.now(), 25 * MINUTE)), source: 'batch' },
      },
      { subject: bottles, data: { quantity: 1, staleAt: null, unitCost: { amount: 80, currency: 'EUR' } } },
    ]);
  });

  test('given a batch that is there, when it is said again, then nothing is baked twice', async () => {
    const batchId = await bakery.bake(2);
    await bakery.hear([bakery.batchBaked({ batchId, quantity: 2, madeAt: formatInstant(bakery.clock.now()) })]);
    expect(await bakery.states(batchId)).toEqual({ available: 2 });
  });

  test('given a batch of a product and a site that nobody has heard of, when it is baked, then its units are sold all the same', async () => {
    const [siteId, productId] = [bakery.nextId(), bakery.nextId()];
    const batch = await bakery.bake(1, { siteId, productId });
    expect(await bakery.states(batch)).toEqual({ available: 1 });
    await bakery.hear([productDefined({ productId }), siteDefined({ siteId })]);
    await bakery.advanceTo(plus(bakery.clock.now(), 15 * MINUTE));
    expect(await bakery.states(batch)).toEqual({ available: 1 });
  });

  test('given a batch of 10,000, when it is baked, then there are 10,000 units', async () => {
    const batch = await bakery.bake(10_000, { productId: BOTTLE });
    expect(await bakery.states(batch)).toEqual({ available: 10_000 });
    const stock = await bakery.http.call<{ items: { productId: string; available: number }[] }>(
      `GET /api/inventory/stock?siteId=${SHOP}`,
      { as: 'staff' },
    );
    expect(stock.body.items.find(({ productId }) => productId === BOTTLE)?.available).toBeGreaterThanOrEqual(10_000);
    expect(stock.body.items.some(({ productId }) => productId === COFFEE)).toBe(false);
  });
});
