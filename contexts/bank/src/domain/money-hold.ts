import { accept, type Money, type Result, refuse } from '@provender/kernel';
import { type Account, available } from './account.ts';

/** What is to be set aside, for an order, on a customer's account. The id is the caller's, so that it may ask twice. */
export type MoneyHoldDraft = {
  readonly id: string;
  readonly accountId: string;
  readonly orderId: string;
  readonly siteId: string;
  readonly amount: Money;
};

export const MONEY_HOLD_STATES = ['open', 'captured', 'released'] as const;
export type MoneyHoldState = (typeof MONEY_HOLD_STATES)[number];

/** Money set aside: open, then captured or released, once. */
export type MoneyHold = MoneyHoldDraft & { readonly state: MoneyHoldState };

export type AuthoriseRefusal =
  | { readonly kind: 'hold-differs' }
  | { readonly kind: 'currency-mismatch' }
  | { readonly kind: 'insufficient-funds' };

/**
 * Decides whether money is set aside. Gives the hold, and whether it is a new one: the same ask again changes nothing.
 * Refuses, in this order: `hold-differs` where the id stands for another ask; an account that is not there as
 * `insufficient-funds`; `currency-mismatch`; `insufficient-funds` where less than the amount is available.
 */
export function authorise(
  draft: MoneyHoldDraft,
  account: Account | undefined,
  before: MoneyHold | undefined,
): Result<{ readonly hold: MoneyHold; readonly isNew: boolean }, AuthoriseRefusal> {
  if (before !== undefined) {
    return isSameAsk(draft, before) ? accept({ hold: before, isNew: false }) : refuse({ kind: 'hold-differs' });
  }
  if (account === undefined) return refuse({ kind: 'insufficient-funds' });
  if (account.currency !== draft.amount.currency) return refuse({ kind: 'currency-mismatch' });
  const left = available(account) - draft.amount.amount;
  if (left < (account.floor ?? Number.NEGATIVE_INFINITY)) return refuse({ kind: 'insufficient-funds' });
  return accept({ hold: { ...draft, state: 'open' }, isNew: true });
}

function isSameAsk(draft: MoneyHoldDraft, before: MoneyHold): boolean {
  return (
    draft.accountId === before.accountId &&
    draft.orderId === before.orderId &&
    draft.siteId === before.siteId &&
    draft.amount.amount === before.amount.amount &&
    draft.amount.currency === before.amount.currency
  );
}

export type CloseRefusal =
  | { readonly kind: 'hold-unknown' }
  | { readonly kind: 'hold-captured' }
  | { readonly kind: 'hold-released' };

/**
 * Decides whether a hold goes to its end. Gives the hold, and whether it still has to be closed: the same end again
 * changes nothing. Refuses `hold-unknown`, and `hold-captured` or `hold-released` where it has come to the other end.
 */
export function closeHold(
  hold: MoneyHold | undefined,
  end: 'captured' | 'released',
): Result<{ readonly hold: MoneyHold; readonly isOpen: boolean }, CloseRefusal> {
  if (hold === undefined) return refuse({ kind: 'hold-unknown' });
  if (hold.state === 'open') return accept({ hold, isOpen: true });
  if (hold.state === end) return accept({ hold, isOpen: false });
  return refuse({ kind: hold.state === 'captured' ? 'hold-captured' : 'hold-released' });
}
