import type { OrderStatus } from '@provender/contracts';

const PAID: ReadonlySet<OrderStatus> = new Set<OrderStatus>(['waiting', 'preparation', 'ready', 'delivered']);

/**
 * Decides whether an order whose units could not be allocated is to be rejected and refunded: wherever it has got to
 * since it was paid. One that was cancelled meanwhile has had its money back.
 */
export function decideLostHold(status: OrderStatus): boolean {
  return PAID.has(status);
}
