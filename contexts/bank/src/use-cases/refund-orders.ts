import type { Said } from '@provender/contracts';
import type { Tx } from '@provender/platform';
import type { BookDraft } from '../domain/account.ts';
import { decideRefunds, type Refund } from '../domain/refund.ts';
import { lockAccounts, postTransactions, readCaptures } from '../store.ts';
import type { Moment } from './moment.ts';

/**
 * Gives the money of captured orders back to where it came from, each once, and says `payment-refunded`. Orders that
 * were never captured, or have their money back, are passed over. Three statements, whatever the size of the set.
 */
export async function refundOrders(tx: Tx, orderIds: readonly string[], { now, ids }: Moment): Promise<void> {
  const { captures, refundedOrderIds } = await readCaptures(tx, orderIds);
  const refunds = decideRefunds(orderIds, captures, refundedOrderIds, () => ids.next());
  if (refunds.length === 0) return;
  await lockAccounts(tx, accountsOf(refunds));
  postTransactions(tx, refunds, now);
  tx.append(refunds.map(paymentRefunded));
}

function accountsOf(refunds: readonly Refund[]): BookDraft {
  const paidByAccount = refunds.filter((refund) => refund.tender === 'account');
  return {
    customerIds: [...new Set(paidByAccount.map((refund) => refund.toAccount))],
    tills: refunds.map(({ siteId, amount }) => ({ siteId, currency: amount.currency })),
  };
}

function paymentRefunded({ orderId, siteId, amount, tender, toAccount }: Refund): Said {
  const payee = tender === 'account' ? { accountId: toAccount } : {};
  return {
    type: 'bank.payment-refunded.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, amount, ...payee },
  };
}
