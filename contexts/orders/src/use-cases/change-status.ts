import type { OrderStatus, Said } from '@provender/contracts';
import { accept, formatInstant, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { HistoryEntry, Order } from '../domain/order.ts';
import { decideStatus, type IllegalTransition } from '../domain/transition.ts';
import { lockOrders, moveOrders } from '../store.ts';
import { orderDelivered } from './end-order.ts';

export type OrderUnknown = { readonly kind: 'order-unknown' };

/**
 * Staff moves an order along the table of `orderRules`. Gives the order as it is then.
 * Refuses an unknown order, and a step that the table does not have: the second of two people sees what the first did.
 */
export async function changeStatus(
  tx: Tx,
  orderId: string,
  to: OrderStatus,
  by: string,
  now: Instant,
): Promise<Result<Order, OrderUnknown | IllegalTransition>> {
  const order = (await lockOrders(tx, [orderId])).get(orderId);
  if (order === undefined) return refuse({ kind: 'order-unknown' });
  const decided = decideStatus(order.status, to);
  if (!decided.ok) return decided;
  const entry: HistoryEntry = { status: to, at: formatInstant(now), by };
  await moveOrders(tx, [{ id: order.id, from: order.status, entry }]);
  tx.append([to === 'delivered' ? orderDelivered(order) : statusChanged(order, to)]);
  return accept({ ...order, status: to, history: [...order.history, entry] });
}

function statusChanged({ id, siteId, customerId, status }: Order, to: OrderStatus): Said {
  return {
    type: 'orders.order-status-changed.v1',
    key: siteId,
    subject: id,
    data: { orderId: id, siteId, ...(customerId === null ? {} : { customerId }), from: status, to },
  };
}
