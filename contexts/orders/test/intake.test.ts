import { createHash } from 'node:crypto';
import { instant, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlaceOutcome } from '../src/use-cases/place-orders.ts';
import {
  ANNA,
  BEN,
  COFFEE,
  LARGE,
  LOAF,
  loaf,
  openShop,
  placement,
  productDefined,
  SITE,
  type Shop,
  siteDefined,
  STEFAN,
  UNKNOWN,
} from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const SCOPE = `orders user:${ANNA} POST /api/orders`;

function keyed(key: string, request = key, scope = SCOPE) {
  return { key, scope, requestHash: createHash('sha256').update(request).digest() };
}

function placedId(outcome: PlaceOutcome | undefined): string {
  if (outcome?.kind !== 'placed') throw new Error(`It was not placed: ${JSON.stringify(outcome)}`);
  return outcome.order.id;
}

async function count(where: string): Promise<number> {
  const [row] = await shop.sql<{ count: number }>(`SELECT count(*)::int AS count FROM orders.orders WHERE ${where}`);
  return row?.count ?? 0;
}

describe('placing orders in sets', () => {
  test('given a price list, when an order is placed, then names and prices are frozen and it is said once', async () => {
    const lines = [
      { productId: LOAF, variationId: LARGE, quantity: 2 },
      { productId: COFFEE, quantity: 1 },
    ];
    const [outcome] = await shop.place({ placement: placement({ lines }), note: 'sliced' });
    const id = placedId(outcome);
    await shop.hear([productDefined({ ...loaf, name: 'Dear loaf', price: { amount: 999, currency: 'EUR' } })]);
    const order = await shop.order(id);
    expect(order).toMatchObject({ status: 'placed', note: 'sliced', total_amount: '1100' });
    expect(order.lines.map((line) => [line.name, line.unitPrice.amount])).toEqual([
      ['Rye loaf', 400],
      ['Coffee', 300],
    ]);
    const said = (await shop.said('orders.order-placed.v1')).filter((event) => event.subject === id);
    expect(said).toMatchObject([
      { key: SITE, data: { orderId: id, customerId: ANNA, tender: 'account', total: { amount: 1100 } } },
    ]);
    await shop.hear([productDefined(loaf)]);
  });

  test('given a set with good and bad orders, then each gets its own outcome', async () => {
    const outcomes = await shop.place(
      {},
      { placement: placement({ siteId: UNKNOWN }) },
      { placement: placement({ lines: [{ productId: UNKNOWN, quantity: 1 }] }) },
      { placement: placement({ channel: 'counter', tender: 'cash', received: { amount: 1, currency: 'EUR' } }) },
      {},
    );
    expect(outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.refusal.kind : outcome.kind))).toEqual([
      'placed',
      'site-unknown',
      'product-unavailable',
      'received-too-little',
      'placed',
    ]);
  });

  test('given a withdrawn product, when it is ordered, then it is unavailable', async () => {
    const cake = { ...loaf, productId: '01900000-0000-7000-8000-000000000099' };
    const wanted = placement({ lines: [{ productId: cake.productId, quantity: 1 }] });
    await shop.hear([productDefined(cake)]);
    expect(await shop.place({ placement: wanted })).toMatchObject([{ kind: 'placed' }]);
    const withdrawn = { productId: cake.productId };
    await shop.hear([
      { type: 'catalog.product-withdrawn.v1', key: cake.productId, subject: cake.productId, data: withdrawn },
    ]);
    const refusal = { kind: 'product-unavailable', productId: cake.productId };
    expect(await shop.place({ placement: wanted })).toEqual([{ kind: 'refused', refusal, isRepeat: false }]);
  });

  test('given cash of which nobody said how much, then it is taken to be the total', async () => {
    const [outcome] = await shop.place({
      placedBy: STEFAN,
      customerId: null,
      placement: placement({ channel: 'counter', tender: 'cash' }),
    });
    expect(outcome).toMatchObject({ kind: 'placed', order: { receivedAmount: 500, customerId: null } });
  });

  test('given a set whose commit nobody knows of, when it is run again, then nothing is placed or said twice', async () => {
    const orderId = '01900000-0000-7000-9000-0000000000ff';
    const key = keyed('unknown-commit');
    const [first] = await shop.place({ orderId, key });
    const [again] = await shop.place({ orderId, key });
    const [third] = await shop.place({ orderId });
    for (const outcome of [again, third]) {
      expect(outcome).toMatchObject({
        kind: 'placed',
        isRepeat: false,
        order: { id: orderId, history: [{ status: 'placed' }] },
      });
    }
    expect(placedId(first)).toBe(orderId);
    expect((await shop.said('orders.order-placed.v1')).filter((event) => event.subject === orderId)).toHaveLength(1);
  });
});

describe('an Idempotency-Key', () => {
  test('given 50 requests with one key at once, then one order is placed and all get it', async () => {
    const outcomes = await shop.place(...Array.from({ length: 50 }, () => ({ key: keyed('fifty') })));
    expect(new Set(outcomes.map(placedId)).size).toBe(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'placed' && !outcome.isRepeat)).toHaveLength(1);
    expect(await count(`idempotency_key = 'fifty'`)).toBe(1);
  });

  test('given two sets that race for one key, then one order is placed', async () => {
    const first = shop.place({ key: keyed('racing') });
    const second = shop.place({ key: keyed('racing') }, {});
    const [[one], [two]] = await Promise.all([first, second]);
    expect(placedId(one)).toBe(placedId(two));
  });

  test('given a key that placed an order, when another request comes with it, then it is refused, at once or later', async () => {
    const [one, other] = await shop.place({ key: keyed('reused') }, { key: keyed('reused', 'other') });
    expect(one?.kind).toBe('placed');
    expect(other).toEqual({ kind: 'key-reused' });
    expect(await shop.place({ key: keyed('reused', 'third') })).toEqual([{ kind: 'key-reused' }]);
  });

  test('given the same key of two people, then both order', async () => {
    const scope = `orders user:${BEN} POST /api/orders`;
    const [one, two] = await shop.place(
      { key: keyed('shared') },
      { key: keyed('shared', 'shared', scope), placedBy: BEN, customerId: BEN },
    );
    expect(placedId(one)).not.toBe(placedId(two));
  });

  test('given an order under a key, when its repeat would be refused by now, then it gets the order', async () => {
    const key = keyed('price-changed');
    const [first] = await shop.place({ key });
    const [repeat] = await shop.place({ key, placement: placement({ lines: [{ productId: UNKNOWN, quantity: 1 }] }) });
    expect(repeat).toMatchObject({ kind: 'placed', isRepeat: true, order: { id: placedId(first) } });
    expect(await shop.sql(`SELECT FROM orders.idempotency_keys WHERE key = 'price-changed'`)).toEqual([]);
  });

  test('given a refusal under a key, when its repeat would be accepted by now, then it is refused alike', async () => {
    const site = siteDefined({ siteId: '01900000-0000-7000-8000-000000000003', opensAt: '12:00' });
    await shop.hear([site]);
    const key = keyed('closed');
    const wanted = placement({ siteId: site.subject });
    const refusal = { kind: 'site-closed' };
    expect(await shop.place({ key, placement: wanted }, { key, placement: wanted })).toEqual([
      { kind: 'refused', refusal, isRepeat: false },
      { kind: 'refused', refusal, isRepeat: true },
    ]);
    shop.clock.advanceTo(plus(instant(Date.parse('2026-11-21T11:00:00.000Z')), MINUTE));
    expect(await shop.place({ placement: wanted })).toMatchObject([{ kind: 'placed' }]);
    expect(await shop.place({ key, placement: wanted })).toEqual([{ kind: 'refused', refusal, isRepeat: true }]);
    expect(await shop.place({ key: keyed('closed', 'other'), placement: wanted })).toEqual([{ kind: 'key-reused' }]);
  });

  test('given a refusal without a key, then nothing is kept of it', async () => {
    const before = await shop.sql('SELECT FROM orders.idempotency_keys');
    await shop.place({ placement: placement({ siteId: UNKNOWN }) });
    expect(await shop.sql('SELECT FROM orders.idempotency_keys')).toHaveLength(before.length);
  });
});

describe('the price of the moment', () => {
  test('given the last half hour by the wall of the site, then every product has its closing discount', async () => {
    const berlin = (time: string) => instant(Date.parse(`2026-11-21T${time}+01:00`));
    for (const [time, amount] of [
      ['17:29:59.999', 500],
      ['17:30:00.000', 374],
      ['17:59:59.999', 374],
    ] as const) {
      shop.clock.advanceTo(berlin(time));
      expect(await shop.place({})).toMatchObject([{ kind: 'placed', order: { totalAmount: amount } }]);
    }
    shop.clock.advanceTo(berlin('18:00:00.000'));
    expect(await shop.place({})).toEqual([{ kind: 'refused', refusal: { kind: 'site-closed' }, isRepeat: false }]);
    const counter = placement({ channel: 'counter', tender: 'card' });
    expect(await shop.place({ placement: counter })).toMatchObject([{ kind: 'placed', order: { totalAmount: 500 } }]);
  });

  test('given new hours, when they are heard of, then they count from then on', async () => {
    await shop.hear([siteDefined({ closesAt: '19:00' })]);
    expect(await shop.place({})).toMatchObject([{ kind: 'placed', order: { totalAmount: 500 } }]);
  });
});
