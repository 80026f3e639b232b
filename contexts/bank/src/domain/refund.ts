import type { Capture, Transaction } from './transaction.ts';

export type Refund = Transaction & Pick<Capture, 'orderId' | 'siteId' | 'tender'> & { readonly kind: 'refund' };

/**
 * Decides which of the orders get their money back: those that were captured and not yet refunded, each once, whole,
 * by the way it came. Anything else has nothing to give back and is passed over.
 */
export function decideRefunds(
  orderIds: readonly string[],
  captures: readonly Capture[],
  refundedOrderIds: ReadonlySet<string>,
  nextId: () => string,
): Refund[] {
  const captureOf = new Map(captures.map((capture) => [capture.orderId, capture]));
  const refunds: Refund[] = [];
  for (const orderId of new Set(orderIds)) {
    const capture = captureOf.get(orderId);
    if (capture === undefined || refundedOrderIds.has(orderId)) continue;
    const { fromAccount, toAccount } = capture;
    const back = { fromAccount: toAccount, toAccount: fromAccount, holdId: null };
    refunds.push({ ...capture, ...back, id: nextId(), kind: 'refund' });
  }
  return refunds;
}
