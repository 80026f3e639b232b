import type {
  Channel,
  DeclineReason,
  OrderLine,
  OrderReason,
  OrderStatus,
  Shortage,
  TenderKind,
} from '@provender/contracts';
import type { Instant } from '@provender/kernel';

/** One step of an order's life. The first is always `placed`, the second the outcome of the purchase. */
export type HistoryEntry = {
  readonly status: OrderStatus;
  readonly at: string;
  readonly by?: string;
  readonly reason?: OrderReason;
};

/** Why a purchase came to nothing, with what its buyer may know of it. */
export type Rejection =
  | { readonly kind: 'insufficient-stock'; readonly shortages: readonly Shortage[] }
  | { readonly kind: 'payment-declined'; readonly cause: DeclineReason };

/** An order as it is kept. Names and prices in `lines` were frozen when it was placed. */
export type Order = {
  readonly id: string;
  readonly siteId: string;
  readonly customerId: string | null;
  readonly placedBy: string;
  readonly channel: Channel;
  readonly tender: TenderKind;
  readonly receivedAmount: number | null;
  readonly status: OrderStatus;
  readonly reason: OrderReason | null;
  readonly rejection: Rejection | null;
  readonly lines: readonly OrderLine[];
  readonly totalAmount: number;
  readonly currency: string;
  readonly note: string | null;
  readonly placedAt: Instant;
  readonly history: readonly HistoryEntry[];
};

/** What became of a purchase: the answer that its buyer gets, the first time and every time. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly order: Order }
  | { readonly kind: 'rejected'; readonly orderId: string; readonly rejection: Rejection };

/**
 * Gives the outcome of a purchase as it was decided, wherever the order has moved since: the first answer can be given
 * again. Undefined while it is still to be decided.
 */
export function outcomeOf(order: Order): Outcome | undefined {
  const decision = order.history[1];
  if (decision === undefined) return undefined;
  if (decision.status === 'rejected') {
    if (order.rejection === null) throw new Error(`The order ${order.id} was rejected without a cause`);
    return { kind: 'rejected', orderId: order.id, rejection: order.rejection };
  }
  return acceptedAt(order, decision);
}

/** The order as it stood when its purchase succeeded. */
export function acceptedAt(order: Order, decision: HistoryEntry): Outcome {
  const placed = order.history.slice(0, 1);
  return {
    kind: 'accepted',
    order: { ...order, status: decision.status, reason: null, history: [...placed, decision] },
  };
}

/** How many units a hold for these lines has; what is made to order needs none. */
export function unitsOf(lines: readonly OrderLine[]): number {
  let units = 0;
  for (const line of lines) if (line.stock === 'unit') units += line.quantity;
  return units;
}
