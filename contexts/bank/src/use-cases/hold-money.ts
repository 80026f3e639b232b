import { accept, type Result } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import {
  type AuthoriseRefusal,
  authorise,
  type CloseRefusal,
  closeHold,
  type MoneyHold,
  type MoneyHoldDraft,
} from '../domain/money-hold.ts';
import type { Capture } from '../domain/transaction.ts';
import { insertHold, postTransactions, readHold, releaseHold } from '../store.ts';
import { lockBook } from './lock-book.ts';
import type { Moment } from './moment.ts';
import { paymentCaptured } from './take-payments.ts';

/** Sets money aside on an account. Refuses what {@link authorise} refuses; the same ask again changes nothing. */
export async function authoriseHold(
  tx: Tx,
  draft: MoneyHoldDraft,
  moment: Moment,
): Promise<Result<MoneyHold, AuthoriseRefusal>> {
  const book = await lockBook(tx, { customerIds: [draft.accountId], tills: [] }, moment);
  // Read under the account's lock, so that the same ask, sent twice at once, finds the first.
  const decided = authorise(draft, book.customer(draft.accountId), await readHold(tx, draft.id));
  if (!decided.ok) return decided;
  if (decided.value.isNew) await insertHold(tx, draft, moment.now);
  return accept(decided.value.hold);
}

/** Moves held money to the site's takings and says `payment-captured`. Refuses what {@link closeHold} refuses. */
export async function captureHold(tx: Tx, holdId: string, moment: Moment): Promise<Result<MoneyHold, CloseRefusal>> {
  const locked = await lockHold(tx, holdId, moment);
  const decided = closeHold(locked?.hold, 'captured');
  if (!decided.ok) return decided;
  const { hold, isOpen } = decided.value;
  if (isOpen && locked !== undefined) {
    const capture = captureOfHold(hold, locked.salesAccount, moment);
    postTransactions(tx, [capture], moment.now);
    tx.append([paymentCaptured(capture)]);
  }
  return accept({ ...hold, state: 'captured' });
}

/** Gives held money back to the account's owner. Refuses what {@link closeHold} refuses. */
export async function releaseHeldMoney(
  tx: Tx,
  holdId: string,
  moment: Moment,
): Promise<Result<MoneyHold, CloseRefusal>> {
  const decided = closeHold((await lockHold(tx, holdId, moment))?.hold, 'released');
  if (!decided.ok) return decided;
  const { hold, isOpen } = decided.value;
  if (isOpen) await releaseHold(tx, hold.id, moment.now);
  return accept({ ...hold, state: 'released' });
}

type LockedHold = { readonly hold: MoneyHold | undefined; readonly salesAccount: string };

/** Locks what closing a hold needs, in id order, and reads the hold as it stands then. */
async function lockHold(tx: Tx, holdId: string, moment: Moment): Promise<LockedHold | undefined> {
  const hold = await readHold(tx, holdId);
  if (hold === undefined) return undefined;
  const { accountId, siteId, amount } = hold;
  const till = { siteId, currency: amount.currency };
  const book = await lockBook(tx, { customerIds: [accountId], tills: [till] }, moment);
  return { hold: await readHold(tx, holdId), salesAccount: book.ofSite('sales', siteId, amount.currency).id };
}

function captureOfHold(hold: MoneyHold, salesAccount: string, { ids }: Moment): Capture {
  const { id: holdId, accountId, orderId, siteId, amount } = hold;
  const accounts = { fromAccount: accountId, toAccount: salesAccount };
  return { id: ids.next(), kind: 'capture', orderId, siteId, tender: 'account', ...accounts, amount, holdId };
}
