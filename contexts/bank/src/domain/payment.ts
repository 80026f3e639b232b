import type { DeclineReason, TenderKind } from '@provender/contracts';
import type { Instant, Money } from '@provender/kernel';
import { type AccountBook, available, type BookDraft, type Till } from './account.ts';
import type { Capture } from './transaction.ts';

/** What an order asks for: its money, by this moment, from a customer's account, the drawer or the card terminal. */
export type Payment = {
  readonly orderId: string;
  readonly siteId: string;
  readonly amount: Money;
  readonly tender: TenderKind;
  readonly customerId?: string | undefined;
  readonly notAfter: Instant;
};

export type PaymentDecision =
  | {
      readonly payment: Payment;
      readonly outcome: 'captured';
      readonly fromAccount: string;
      readonly toAccount: string;
    }
  | { readonly payment: Payment; readonly outcome: 'declined'; readonly reason: DeclineReason };

/** The accounts that these payments are about. */
export function accountsOf(payments: readonly Payment[]): BookDraft {
  const customerIds = new Set<string>();
  const tills = new Map<string, Till>();
  for (const { tender, customerId, siteId, amount } of payments) {
    if (tender === 'account' && customerId !== undefined) customerIds.add(customerId);
    tills.set(`${siteId} ${amount.currency}`, { siteId, currency: amount.currency });
  }
  return { customerIds: [...customerIds], tills: [...tills.values()] };
}

/**
 * Decides payments in the order in which they were asked for: each spends what those before it have left.
 * Declines, in this order: `too-late` after `notAfter` (the goods may be gone); an account that is not there as
 * `insufficient-funds`; `currency-mismatch`; `insufficient-funds` where less than the amount is available.
 */
export function decidePayments(payments: readonly Payment[], book: AccountBook, now: Instant): PaymentDecision[] {
  const spent = new Map<string, number>();
  return payments.map((payment): PaymentDecision => {
    const { siteId, amount, tender, customerId, notAfter } = payment;
    const { currency } = amount;
    if (now > notAfter) return { payment, outcome: 'declined', reason: 'too-late' };
    const toAccount = book.ofSite('sales', siteId, currency).id;
    if (tender !== 'account') {
      return { payment, outcome: 'captured', fromAccount: book.ofSite(tender, siteId, currency).id, toAccount };
    }
    const payer = customerId === undefined ? undefined : book.customer(customerId);
    if (payer === undefined) return { payment, outcome: 'declined', reason: 'insufficient-funds' };
    if (payer.currency !== currency) return { payment, outcome: 'declined', reason: 'currency-mismatch' };
    const spentBefore = spent.get(payer.id) ?? 0;
    const left = available(payer) - spentBefore - amount.amount;
    if (left < (payer.floor ?? Number.NEGATIVE_INFINITY)) {
      return { payment, outcome: 'declined', reason: 'insufficient-funds' };
    }
    spent.set(payer.id, spentBefore + amount.amount);
    return { payment, outcome: 'captured', fromAccount: payer.id, toAccount };
  });
}

/** The transactions of the payments that were decided to be captured, in their order. */
export function capturesOf(decisions: readonly PaymentDecision[], nextId: () => string): Capture[] {
  const captures: Capture[] = [];
  for (const decision of decisions) {
    if (decision.outcome === 'declined') continue;
    const { orderId, siteId, tender, amount } = decision.payment;
    const { fromAccount, toAccount } = decision;
    captures.push({
      id: nextId(),
      kind: 'capture',
      orderId,
      siteId,
      tender,
      fromAccount,
      toAccount,
      amount,
      holdId: null,
    });
  }
  return captures;
}
