import type { Heard, Said } from '@provender/contracts';
import { formatInstant, type Instant, instant, money } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { decideLostHold } from '../domain/allocation.ts';
import type { Rejection } from '../domain/order.ts';
import { paymentDeadline, statusOncePaid } from '../domain/payment.ts';
import { lockOrders, type Move, moveOrders } from '../store.ts';
import type { PlacedFacts, RecentOrders } from './remember-orders.ts';

// The steps of the purchase, each for a set of orders. A step is taken only by orders that stand where it begins, so an
// event that comes twice, or is about an order that nobody knows, changes nothing.

/** The units are set aside: asks the bank for the money, while the hold is sure to last. */
export async function requestPayments(
  recent: RecentOrders,
  events: readonly Heard<'inventory.units-held.v1'>[],
  tx: Tx,
): Promise<void> {
  const facts = await recent.facts(
    tx,
    events.map((event) => event.data.orderId),
  );
  tx.append(
    events.flatMap((event): Said[] => {
      const order = facts.get(event.data.orderId);
      if (order === undefined) return [];
      const notAfter = paymentDeadline(momentOf(event.time), momentOf(event.data.expiresAt));
      return [paymentRequested(order, notAfter)];
    }),
  );
}

function paymentRequested(order: PlacedFacts, notAfter: Instant): Said {
  return {
    type: 'orders.payment-requested.v1',
    key: order.siteId,
    subject: order.orderId,
    data: {
      orderId: order.orderId,
      siteId: order.siteId,
      amount: order.total,
      tender: order.tender,
      ...(order.customerId === null ? {} : { customerId: order.customerId }),
      notAfter: formatInstant(notAfter),
    },
  };
}

/** The money is there: the order waits to be made ready, or has been handed over already. */
export async function payOrders(
  recent: RecentOrders,
  events: readonly Heard<'bank.payment-captured.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const facts = await recent.facts(
    tx,
    events.map((event) => event.data.orderId),
  );
  if (facts.size === 0) return;
  const paidAt = formatInstant(now);
  const paid = [...facts.values()];
  const moved = await moveOrders(
    tx,
    paid.map((order): Move => {
      return { id: order.orderId, from: 'placed', entry: { status: statusOncePaid(order.isHandedOver), at: paidAt } };
    }),
  );
  tx.append(paid.filter((order) => moved.has(order.orderId)).map((order) => orderPaid(order, paidAt)));
}

function orderPaid(order: PlacedFacts, paidAt: string): Said {
  return {
    type: 'orders.order-paid.v1',
    key: order.siteId,
    subject: order.orderId,
    data: {
      orderId: order.orderId,
      siteId: order.siteId,
      channel: order.channel,
      ...(order.customerId === null ? {} : { customerId: order.customerId }),
      total: order.total,
      handedOver: order.isHandedOver,
      units: order.units,
      paidAt,
    },
  };
}

/** There is not enough of something: no order is served in part. */
export function rejectUnheld(
  recent: RecentOrders,
  events: readonly Heard<'inventory.hold-refused.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const rejections = events.map(({ data }): [string, Rejection] => [
    data.orderId,
    { kind: 'insufficient-stock', shortages: data.shortages },
  ]);
  return reject(recent, new Map(rejections), tx, now);
}

/** The bank said no, or was asked too late. */
export function rejectUnpaid(
  recent: RecentOrders,
  events: readonly Heard<'bank.payment-declined.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const rejections = events.map(({ data }): [string, Rejection] => [
    data.orderId,
    { kind: 'payment-declined', cause: data.reason },
  ]);
  return reject(recent, new Map(rejections), tx, now);
}

async function reject(recent: RecentOrders, rejections: ReadonlyMap<string, Rejection>, tx: Tx, now: Instant) {
  const facts = await recent.facts(tx, [...rejections.keys()]);
  if (facts.size === 0) return;
  const at = formatInstant(now);
  const moves = [...rejections].flatMap(([id, rejection]): Move[] => {
    if (!facts.has(id)) return [];
    return [{ id, from: 'placed', entry: { status: 'rejected', at, reason: rejection.kind }, rejection }];
  });
  const moved = await moveOrders(tx, moves);
  tx.append(
    [...rejections].flatMap(([id, { kind }]): Said[] => {
      const order = facts.get(id);
      return order === undefined || !moved.has(id) ? [] : [orderRejected(order, kind)];
    }),
  );
}

type Rejected = Pick<PlacedFacts, 'orderId' | 'siteId' | 'customerId'>;

function orderRejected({ orderId, siteId, customerId }: Rejected, reason: 'hold-lost' | Rejection['kind']): Said {
  return {
    type: 'orders.order-rejected.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, ...(customerId === null ? {} : { customerId }), reason },
  };
}

/** Paid, but the hold was gone before: the order is rejected, the money goes back. The flow says so, no sweep. */
export async function rejectLostHolds(
  events: readonly Heard<'inventory.allocation-failed.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const orders = await lockOrders(
    tx,
    events.map((event) => event.data.orderId),
  );
  const lost = [...orders.values()].filter((order) => decideLostHold(order.status));
  if (lost.length === 0) return;
  const at = formatInstant(now);
  await moveOrders(
    tx,
    lost.map(({ id, status }): Move => ({ id, from: status, entry: { status: 'rejected', at, reason: 'hold-lost' } })),
  );
  tx.append(
    lost.flatMap(({ id, siteId, customerId, totalAmount, currency }) => [
      orderRejected({ orderId: id, siteId, customerId }, 'hold-lost'),
      refundRequested({ id, siteId, totalAmount, currency }, 'hold-lost'),
    ]),
  );
}

type Refunded = {
  readonly id: string;
  readonly siteId: string;
  readonly totalAmount: number;
  readonly currency: string;
};

/** Said once in the life of an order: only with the step that ends it after it was paid. */
export function refundRequested({ id, siteId, totalAmount, currency }: Refunded, reason: string): Said {
  return {
    type: 'orders.refund-requested.v1',
    key: siteId,
    subject: id,
    data: { orderId: id, siteId, amount: money(totalAmount, currency), reason },
  };
}

/** Events carry instants as RFC 3339 text that we wrote ourselves. */
function momentOf(text: string): Instant {
  return instant(Date.parse(text));
}
