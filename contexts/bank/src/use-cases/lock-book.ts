import type { Tx } from '@provender/platform';
import { type AccountBook, accountBook, type BookDraft, missingAccounts } from '../domain/account.ts';
import { lockAccounts } from '../store.ts';
import type { Moment } from './moment.ts';
import { openAccounts } from './open-accounts.ts';

/**
 * Locks all accounts that a set of decisions needs, in id order, and gives them as they stand. Those of sites are
 * opened on this first use; a customer's that is not open is not in the book.
 */
export async function lockBook(tx: Tx, wanted: BookDraft, { now, ids }: Moment): Promise<AccountBook> {
  const found = await lockAccounts(tx, wanted);
  const missing = missingAccounts(wanted.tills, found, () => ids.next());
  if (missing.length === 0) return accountBook(found);
  await openAccounts(tx, missing, now);
  return accountBook(await lockAccounts(tx, wanted));
}
