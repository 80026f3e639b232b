import { accept, formatInstant, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { HistoryEntry, Order } from '../domain/order.ts';
import { decideCancel, type IllegalTransition } from '../domain/transition.ts';
import { lockOrders, moveOrders } from '../store.ts';
import type { OrderUnknown } from './change-status.ts';
import { orderCancelled } from './end-order.ts';
import { refundRequested } from './settle-purchases.ts';

/**
 * Cancels a paid order: its money goes back, its units too while they are fresh. The row is locked, and a cancelled
 * order cannot be cancelled again, so the refund is asked for once. Gives the order as it is then.
 * Refuses an order that is unknown or somebody else's, and one that has got too far.
 */
export async function cancelOrder(
  tx: Tx,
  orderId: string,
  by: { readonly id: string; readonly isStaff: boolean },
  now: Instant,
): Promise<Result<Order, OrderUnknown | IllegalTransition>> {
  const order = (await lockOrders(tx, [orderId])).get(orderId);
  if (order === undefined || !(by.isStaff || order.customerId === by.id)) return refuse({ kind: 'order-unknown' });
  const decided = decideCancel(order.status, { isOwner: order.customerId === by.id, isStaff: by.isStaff });
  if (!decided.ok) return decided;
  const reason = decided.value;
  const entry: HistoryEntry = { status: 'cancelled', at: formatInstant(now), by: by.id, reason };
  await moveOrders(tx, [{ id: order.id, from: order.status, entry }]);
  tx.append([orderCancelled(order, reason), refundRequested(order, reason)]);
  return accept({ ...order, status: 'cancelled', reason, history: [...order.history, entry] });
}
