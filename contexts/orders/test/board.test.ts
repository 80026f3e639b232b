import { ORDER_STATUSES, type OrderStatus } from '@provender/contracts';
import { formatInstant, instant, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelOrder } from '../src/use-cases/cancel-order.ts';
import { changeStatus } from '../src/use-cases/change-status.ts';
import {
  allocationFailed,
  ANNA,
  BEN,
  NIGHT_SITE,
  openShop,
  paymentCaptured,
  placement,
  type Shop,
  siteDefined,
  STEFAN,
  unitsHeld,
} from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

function set(id: string, status: OrderStatus) {
  return shop.running.db.withTx((tx) => changeStatus(tx, id, status, STEFAN, shop.clock.now()));
}

function cancel(id: string, by: string, isStaff = false) {
  return shop.running.db.withTx((tx) => cancelOrder(tx, id, { id: by, isStaff }, shop.clock.now()));
}

async function saidOf(id: string, ...types: string[]) {
  return (await shop.said(...types)).filter((event) => event.subject === id);
}

describe('changing the status', () => {
  test('given a waiting order, when staff walks it to the end, then each step is in its history and said', async () => {
    const id = await shop.waiting();
    for (const status of ['preparation', 'waiting', 'ready', 'preparation', 'ready', 'delivered'] as const) {
      expect(await set(id, status)).toMatchObject({ ok: true, value: { status } });
    }
    const order = await shop.order(id);
    expect(order.history.map((entry) => entry.status)).toEqual([
      'placed',
      'waiting',
      'preparation',
      'waiting',
      'ready',
      'preparation',
      'ready',
      'delivered',
    ]);
    expect(order.history.at(-1)).toEqual({ status: 'delivered', at: formatInstant(shop.clock.now()), by: STEFAN });
    const changes = await saidOf(id, 'orders.order-status-changed.v1');
    expect(changes.map((event) => (event.data as { to: string }).to)).toEqual([
      'preparation',
      'waiting',
      'ready',
      'preparation',
      'ready',
    ]);
    expect(await saidOf(id, 'orders.order-delivered.v1')).toMatchObject([{ data: { orderId: id, customerId: ANNA } }]);
  });

  test('given a step that the table does not have, then it is refused and nothing is said', async () => {
    const id = await shop.waiting();
    const refusal = { kind: 'illegal-transition', from: 'waiting', to: 'delivered', allowed: ['preparation', 'ready'] };
    expect(await set(id, 'delivered')).toEqual({ ok: false, refusal });
    expect(await saidOf(id, 'orders.order-delivered.v1')).toEqual([]);
    expect(await set('01900000-0000-7000-8000-00000000dead', 'ready')).toMatchObject({
      refusal: { kind: 'order-unknown' },
    });
  });

  test('given two people who set one order at once, then one wins and the other is told', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await shop.waiting();
      await set(id, 'ready');
      const outcomes = await Promise.all([set(id, 'delivered'), set(id, 'delivered'), set(id, 'preparation')]);
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
    }
  });
});

describe('cancelling', () => {
  test('given a waiting order, when its owner cancels, then it is said and refunded, and its row is closed', async () => {
    const id = await shop.waiting();
    expect(await cancel(id, ANNA)).toMatchObject({
      ok: true,
      value: { status: 'cancelled', reason: 'cancelled-by-customer' },
    });
    const entry = {
      status: 'cancelled',
      at: formatInstant(shop.clock.now()),
      by: ANNA,
      reason: 'cancelled-by-customer',
    };
    const order = await shop.order(id);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'cancelled-by-customer', is_open: false });
    expect(order.history.at(-1)).toEqual(entry);
    expect(await saidOf(id, 'orders.order-cancelled.v1', 'orders.refund-requested.v1')).toMatchObject([
      { data: { reason: 'cancelled-by-customer', customerId: ANNA } },
      { data: { amount: { amount: 500, currency: 'EUR' }, reason: 'cancelled-by-customer' } },
    ]);
  });

  test('given an order that is ready, then its owner may not cancel and staff may', async () => {
    const id = await shop.waiting();
    await set(id, 'ready');
    expect(await cancel(id, ANNA)).toMatchObject({ ok: false, refusal: { kind: 'illegal-transition', from: 'ready' } });
    expect(await cancel(id, STEFAN, true)).toMatchObject({ ok: true, value: { reason: 'cancelled-by-staff' } });
  });

  test('given somebody else, then the order is unknown to them', async () => {
    const id = await shop.waiting();
    expect(await cancel(id, BEN)).toEqual({ ok: false, refusal: { kind: 'order-unknown' } });
  });

  test('given 20 who cancel one order at once, then it is refunded once', async () => {
    const id = await shop.waiting();
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => cancel(id, ANNA, index % 2 === 0)));
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
    expect(await saidOf(id, 'orders.refund-requested.v1')).toHaveLength(1);
  });

  test('given one who cancels while another hands over, then one of them wins, and only a cancelled order is refunded', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await shop.waiting();
      await set(id, 'ready');
      const [delivered, cancelled] = await Promise.all([set(id, 'delivered'), cancel(id, STEFAN, true)]);
      expect(delivered.ok).not.toBe(cancelled.ok);
      expect(await saidOf(id, 'orders.refund-requested.v1')).toHaveLength(cancelled.ok ? 1 : 0);
    }
  });

  test('given a cancelled order, when its hold turns out to be lost, then it is not refunded again', async () => {
    const id = await shop.waiting();
    await cancel(id, ANNA);
    await shop.hear([allocationFailed(id)]);
    expect(await shop.order(id)).toMatchObject({ status: 'cancelled' });
    expect(await saidOf(id, 'orders.refund-requested.v1')).toHaveLength(1);
  });
});

describe('the closing of a site', () => {
  const closing = instant(Date.parse('2026-11-21T17:00:00.000Z'));

  /** An order in each status, placed now. */
  async function oneOfEach(): Promise<Map<OrderStatus, string>> {
    const ids = new Map<OrderStatus, string>();
    for (const status of ORDER_STATUSES) ids.set(status, await shop.waiting());
    const idOf = (status: OrderStatus) => ids.get(status) ?? '';
    await set(idOf('preparation'), 'preparation');
    for (const status of ['ready', 'delivered'] as const) await set(idOf(status), 'ready');
    await set(idOf('delivered'), 'delivered');
    await cancel(idOf('cancelled'), ANNA);
    await shop.hear([allocationFailed(idOf('rejected'))]);
    const [placed] = await shop.place({});
    if (placed?.kind === 'placed') ids.set('placed', placed.order.id);
    return ids;
  }

  async function statusesOf(ids: Map<OrderStatus, string>) {
    const now: Partial<Record<OrderStatus, string>> = {};
    for (const [status, id] of ids) {
      const order = await shop.order(id);
      now[status] = order.reason === null ? order.status : `${order.status}: ${order.reason}`;
    }
    return now;
  }

  test('given an order in each status, when the site closes, then what is not made is refunded and the rest ends', async () => {
    const ids = await oneOfEach();
    const [night] = await shop.place({ placement: placement({ siteId: NIGHT_SITE }) });
    await shop.advanceTo(plus(closing, -1));
    expect(await statusesOf(ids)).toMatchObject({ waiting: 'waiting', preparation: 'preparation', ready: 'ready' });
    await shop.advanceTo(closing);
    expect(await statusesOf(ids)).toEqual({
      placed: 'placed',
      waiting: 'cancelled: site-closed',
      preparation: 'cancelled: site-closed',
      ready: 'delivered: not-collected',
      delivered: 'delivered',
      cancelled: 'cancelled: cancelled-by-customer',
      rejected: 'rejected: hold-lost',
    });
    for (const status of ['waiting', 'preparation'] as const) {
      const types = ['orders.order-cancelled.v1', 'orders.refund-requested.v1'];
      expect(await saidOf(ids.get(status) ?? '', ...types)).toMatchObject([
        { type: types[0], data: { reason: 'site-closed' } },
        { type: types[1], data: { reason: 'site-closed', amount: { amount: 500 } } },
      ]);
    }
    expect(await saidOf(ids.get('ready') ?? '', 'orders.order-delivered.v1')).toMatchObject([
      { data: { reason: 'not-collected' } },
    ]);
    expect(await saidOf(ids.get('ready') ?? '', 'orders.refund-requested.v1')).toEqual([]);
    expect(night?.kind === 'placed' && (await shop.order(night.order.id)).status).toBe('placed');

    // The order that was still placed is paid for after the closing: the closing looks again and ends it too.
    const late = ids.get('placed') ?? '';
    await shop.hear([unitsHeld(late, plus(shop.clock.now(), MINUTE)), paymentCaptured(late)]);
    expect(await shop.order(late)).toMatchObject({ status: 'waiting' });
    await shop.advanceTo(plus(closing, 2 * MINUTE));
    expect(await shop.order(late)).toMatchObject({ status: 'cancelled', reason: 'site-closed' });
    const [timer] = await shop.sql<{ due_at: Date }>(`SELECT due_at FROM orders.timers WHERE name = 'closing'`);
    expect(timer?.due_at.toISOString()).toBe('2026-11-22T17:00:00.000Z');
  });

  test('given a counter sale after closing, when the closing runs late or again, then it stays on the board', async () => {
    const lines = [{ productId: '01900000-0000-7000-8000-000000000012', quantity: 1 }];
    const id = await shop.waiting({ channel: 'counter', tender: 'card', lines });
    await shop.sql(`UPDATE orders.timers SET due_at = $1 WHERE name = 'closing'`, [formatInstant(closing)]);
    await shop.running.timers.runDue();
    expect(await shop.order(id)).toMatchObject({ status: 'waiting' });
    await shop.advanceTo(plus(closing, 24 * 60 * MINUTE));
    expect(await shop.order(id)).toMatchObject({ status: 'cancelled', reason: 'site-closed' });
  });

  test('given more orders than one transaction ends, when the site closes, then all of them end', async () => {
    await shop.advanceTo(instant(Date.parse('2026-11-23T09:00:00.000Z')));
    const outcomes = await shop.place(...Array.from({ length: 1_101 }, () => ({})));
    const ids = outcomes.flatMap((outcome) => (outcome.kind === 'placed' ? [outcome.order.id] : []));
    await shop.hear(ids.map((id) => unitsHeld(id, plus(shop.clock.now(), 2 * MINUTE))));
    await shop.hear(ids.map((id) => paymentCaptured(id)));
    await shop.advanceTo(instant(Date.parse('2026-11-23T17:00:01.000Z')));
    const [row] = await shop.sql<{ count: string }>(
      `SELECT count(*) FROM orders.orders WHERE id = ANY($1) AND status = 'cancelled' AND reason = 'site-closed'`,
      [ids],
    );
    expect(row?.count).toBe('1101');
    const refunds = new Set((await shop.said('orders.refund-requested.v1')).map((event) => event.subject));
    expect(ids.every((id) => refunds.has(id))).toBe(true);
  });

  test('given new hours that close earlier, then the closing moves; a renamed site keeps one that is overdue', async () => {
    const due = async () => {
      const [timer] = await shop.sql<{ due_at: Date }>(`SELECT due_at FROM orders.timers WHERE name = 'closing'`);
      return timer?.due_at.toISOString();
    };
    await shop.hear([siteDefined({ closesAt: '12:00' })]);
    expect(await due()).toBe(formatInstant(shop.clock.now()));
    await shop.running.timers.runDue();
    expect(await due()).toBe('2026-11-24T11:00:00.000Z');
    shop.clock.advanceTo(instant(Date.parse('2026-11-24T11:30:00.000Z')));
    await shop.hear([siteDefined({ closesAt: '12:00', name: 'Renamed' })]);
    expect(await due()).toBe('2026-11-24T11:00:00.000Z');
    await shop.running.timers.runDue();
    expect(await due()).toBe('2026-11-25T11:00:00.000Z');
  });

  test('given a site that is now open around the clock, when its timer falls due, then it has no more closings', async () => {
    await shop.hear([siteDefined({ opensAt: '00:00', closesAt: '24:00' })]);
    await shop.advanceTo(instant(Date.parse('2026-11-25T12:00:00.000Z')));
    expect(await shop.sql(`SELECT FROM orders.timers WHERE name = 'closing'`)).toEqual([]);
  });
});
