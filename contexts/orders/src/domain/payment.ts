import type { Channel, OrderLine, OrderStatus } from '@provender/contracts';
import { type Instant, type Money, money, plus } from '@provender/kernel';

/** The part of a hold that is kept back, so that a payment at the last moment still meets the units it is for. */
const HOLD_MARGIN = 1 / 4;

/** The last moment at which a payment may be taken: a quarter of the hold before the hold ends. */
export function paymentDeadline(heldAt: Instant, expiresAt: Instant): Instant {
  return plus(expiresAt, -Math.max(0, expiresAt - heldAt) * HOLD_MARGIN);
}

/** True where the goods change hands at payment: at the counter, unless something is made to order. */
export function isHandedOver(channel: Channel, lines: readonly OrderLine[]): boolean {
  return channel === 'counter' && lines.every((line) => line.stock !== 'made-to-order');
}

/** The status of an order that has just been paid. */
export function statusOncePaid(handedOver: boolean): OrderStatus {
  return handedOver ? 'delivered' : 'waiting';
}

/** What goes back over the counter. Throws where less was received than asked for: such an order is never placed. */
export function changeOf(receivedAmount: number, total: Money): Money {
  if (receivedAmount < total.amount) throw new Error('Less was received than the total');
  return money(receivedAmount - total.amount, total.currency);
}
