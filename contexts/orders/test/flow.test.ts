import { formatInstant, MINUTE, plus, SECOND } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  allocationFailed,
  ANNA,
  COFFEE,
  holdRefused,
  LOAF,
  openShop,
  paymentCaptured,
  paymentDeclined,
  placement,
  SITE,
  type Shop,
  UNKNOWN,
  unitsHeld,
} from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

async function placed(changes: Parameters<typeof placement>[0] = {}): Promise<string> {
  const [outcome] = await shop.place({ placement: placement(changes) });
  if (outcome?.kind !== 'placed') throw new Error('It was not placed');
  return outcome.order.id;
}

async function saidOf(id: string): Promise<string[]> {
  return (await shop.said()).filter((event) => event.subject === id).map((event) => event.type);
}

const inTwoMinutes = () => plus(shop.clock.now(), 2 * MINUTE);

describe('the purchase', () => {
  test('given held units, then the money is asked for until a quarter of the hold before its end', async () => {
    const id = await placed();
    await shop.hear([unitsHeld(id, inTwoMinutes())]);
    const [requested] = (await shop.said('orders.payment-requested.v1')).filter((event) => event.subject === id);
    expect(requested).toMatchObject({
      key: SITE,
      data: {
        orderId: id,
        siteId: SITE,
        amount: { amount: 500, currency: 'EUR' },
        tender: 'account',
        customerId: ANNA,
        notAfter: formatInstant(plus(shop.clock.now(), 90 * SECOND)),
      },
    });
    expect(await shop.order(id)).toMatchObject({ status: 'placed' });
  });

  test('given a shop order, when it is paid, then it waits, and units are to be allocated', async () => {
    const id = await shop.waiting();
    const paidAt = formatInstant(shop.clock.now());
    expect(await shop.order(id)).toMatchObject({
      status: 'waiting',
      reason: null,
      history: [{}, { status: 'waiting', at: paidAt }],
    });
    const [paid] = (await shop.said('orders.order-paid.v1')).filter((event) => event.subject === id);
    expect(paid?.data).toEqual({
      orderId: id,
      siteId: SITE,
      channel: 'shop',
      customerId: ANNA,
      total: { amount: 500, currency: 'EUR' },
      handedOver: false,
      units: 2,
      paidAt,
    });
  });

  test('given a counter sale of units, when it is paid, then it is handed over; with coffee it goes to the board', async () => {
    const loaves = await shop.waiting({ channel: 'counter', tender: 'card' });
    expect(await shop.order(loaves)).toMatchObject({ status: 'delivered', reason: null });
    const lines = [
      { productId: LOAF, quantity: 1 },
      { productId: COFFEE, quantity: 1 },
    ];
    const coffee = await shop.waiting({ channel: 'counter', tender: 'card', lines });
    expect(await shop.order(coffee)).toMatchObject({ status: 'waiting' });
    const paid = await shop.said('orders.order-paid.v1');
    const factsOf = (id: string) => paid.find((event) => event.subject === id)?.data;
    expect(factsOf(loaves)).toMatchObject({ handedOver: true, units: 2, channel: 'counter' });
    expect(factsOf(coffee)).toMatchObject({ handedOver: false, units: 1 });
  });

  test('given too few units, then the order is rejected and keeps what was missing', async () => {
    const id = await placed();
    const shortages = [{ productId: LOAF, wanted: 2, available: 1 }];
    await shop.hear([holdRefused(id, shortages)]);
    expect(await shop.order(id)).toMatchObject({
      status: 'rejected',
      reason: 'insufficient-stock',
      rejection: { kind: 'insufficient-stock', shortages },
      is_open: false,
    });
    expect(await saidOf(id)).toEqual(['orders.order-placed.v1', 'orders.order-rejected.v1']);
  });

  test('given a bank that says no, then the order is rejected with its reason', async () => {
    const id = await placed();
    await shop.hear([unitsHeld(id, inTwoMinutes()), paymentDeclined(id, 'too-late')]);
    expect(await shop.order(id)).toMatchObject({
      status: 'rejected',
      reason: 'payment-declined',
      rejection: { kind: 'payment-declined', cause: 'too-late' },
    });
    expect(await saidOf(id)).toEqual([
      'orders.order-placed.v1',
      'orders.payment-requested.v1',
      'orders.order-rejected.v1',
    ]);
  });

  test('given a capture that met a hold already gone, then the order is rejected and the money asked back, once', async () => {
    const id = await shop.waiting();
    await shop.hear([allocationFailed(id)]);
    await shop.hear([allocationFailed(id)]);
    expect(await shop.order(id)).toMatchObject({ status: 'rejected', reason: 'hold-lost' });
    expect(await saidOf(id)).toEqual([
      'orders.order-placed.v1',
      'orders.payment-requested.v1',
      'orders.order-paid.v1',
      'orders.order-rejected.v1',
      'orders.refund-requested.v1',
    ]);
  });

  test('given every event twice, and events about orders nobody knows, then nothing more happens', async () => {
    const id = await shop.waiting();
    const before = await saidOf(id);
    const row = await shop.order(id);
    await shop.hear([
      unitsHeld(id, inTwoMinutes()),
      paymentCaptured(id),
      paymentDeclined(id),
      holdRefused(id, []),
      unitsHeld(UNKNOWN, inTwoMinutes()),
      paymentCaptured(UNKNOWN),
      paymentDeclined(UNKNOWN),
      holdRefused(UNKNOWN, []),
      allocationFailed(UNKNOWN),
    ]);
    expect(await saidOf(id)).toEqual(before);
    expect(await saidOf(UNKNOWN)).toEqual([]);
    expect(await shop.order(id)).toEqual(row);
  });

  test('given a set of many orders, then each takes its own way', async () => {
    const outcomes = await shop.place(...Array.from({ length: 60 }, () => ({})));
    const ids = outcomes.flatMap((outcome) => (outcome.kind === 'placed' ? [outcome.order.id] : []));
    const poor = new Set(ids.filter((_, index) => index % 3 === 0));
    await shop.hear(ids.map((id) => unitsHeld(id, inTwoMinutes())));
    await shop.hear(ids.map((id) => (poor.has(id) ? paymentDeclined(id) : paymentCaptured(id))));
    for (const id of ids) {
      expect(await shop.order(id)).toMatchObject({ status: poor.has(id) ? 'rejected' : 'waiting' });
    }
    const paid = (await shop.said('orders.order-paid.v1')).filter((event) => ids.includes(event.subject));
    expect(paid.map((event) => event.subject)).toEqual(ids.filter((id) => !poor.has(id)));
  });

  test('given another process that placed an order, then its facts are read from the table', async () => {
    const id = '01900000-0000-7000-9000-00000000beef';
    const columns = `site_id, customer_id, placed_by, channel, tender, status, lines, total_amount, currency,
      placed_at, updated_at, history`;
    await shop.sql(
      `INSERT INTO orders.orders (id, ${columns}) SELECT $1, ${columns} FROM orders.orders WHERE id = $2`,
      [id, await placed()],
    );
    await shop.hear([unitsHeld(id, inTwoMinutes()), paymentCaptured(id)]);
    expect(await shop.order(id)).toMatchObject({ status: 'waiting' });
    expect(await saidOf(id)).toEqual(['orders.payment-requested.v1', 'orders.order-paid.v1']);
  });

  test('given a shop order, when it is paid, then its row is updated without touching an index', async () => {
    const id = await placed();
    const hot = `SELECT pg_stat_get_xact_tuples_hot_updated('orders.orders'::regclass)::int AS hot`;
    await shop.sql('BEGIN');
    const moved = `status = 'waiting', history = history || '{"status": "waiting"}', updated_at = now()`;
    await shop.sql(`UPDATE orders.orders SET ${moved} WHERE id = $1`, [id]);
    expect(await shop.sql(hot)).toEqual([{ hot: 1 }]);
    await shop.sql('ROLLBACK');
  });
});
