import type { Said } from '@provender/contracts';
import type { Tx } from '@provender/platform';
import { accountsOf, capturesOf, decidePayments, type Payment, type PaymentDecision } from '../domain/payment.ts';
import type { Capture } from '../domain/transaction.ts';
import { postTransactions } from '../store.ts';
import { lockBook } from './lock-book.ts';
import type { Moment } from './moment.ts';

/**
 * Decides a set of payments in their order, moves the money of those that can be paid, in one posting, and says of
 * each `payment-captured` or `payment-declined`. Two statements, whatever the size of the set.
 */
export async function takePayments(tx: Tx, payments: readonly Payment[], moment: Moment): Promise<void> {
  const book = await lockBook(tx, accountsOf(payments), moment);
  const decisions = decidePayments(payments, book, moment.now);
  const captures = capturesOf(decisions, () => moment.ids.next());
  if (captures.length > 0) postTransactions(tx, captures, moment.now);
  tx.append(decisions.map((decision) => paymentDecided(decision)));
}

function paymentDecided(decision: PaymentDecision): Said {
  const { orderId, siteId } = decision.payment;
  const about = { key: siteId, subject: orderId };
  if (decision.outcome === 'declined') {
    const data = { orderId, siteId, reason: decision.reason };
    return { type: 'bank.payment-declined.v1', ...about, data };
  }
  return paymentCaptured({ ...decision.payment, fromAccount: decision.fromAccount });
}

/** What is said of a capture, also of one that a hold had been authorised for. */
export function paymentCaptured(
  capture: Pick<Capture, 'orderId' | 'siteId' | 'tender' | 'amount' | 'fromAccount'>,
): Said {
  const { orderId, siteId, tender, amount, fromAccount } = capture;
  const payer = tender === 'account' ? { accountId: fromAccount } : {};
  return {
    type: 'bank.payment-captured.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, amount, tender, ...payer },
  };
}
