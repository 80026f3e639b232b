import type { OrderReason, OrderStatus } from '@provender/contracts';

/** What the closing of a site makes of an order, and why. */
export type AtClosing = {
  readonly status: OrderStatus;
  readonly reason: OrderReason;
  readonly isRefunded: boolean;
};

const CANCELLED: AtClosing = { status: 'cancelled', reason: 'site-closed', isRefunded: true };

/** What was not made is cancelled and refunded; what was ready and not collected counts as delivered. */
const atClosing: Partial<Record<OrderStatus, AtClosing>> = {
  waiting: CANCELLED,
  preparation: CANCELLED,
  ready: { status: 'delivered', reason: 'not-collected', isRefunded: false },
};

/** Gives what becomes of an order when its site closes. Undefined where closing leaves it alone. */
export function closingOutcome(status: OrderStatus): AtClosing | undefined {
  return atClosing[status];
}
