import type { Tx } from '@provender/platform';
import { type AccountBook, accountBook, type BookDraft, missingAccounts } from '../domain/account.ts';
import { lockAccounts } from '../store.ts';
import type { Moment } from './moment.ts';
import { openAccounts } from './open-accounts.ts';

/**
 * Locks all accounts that a set of decisions needs, in id order, and gives them as they stand. Those that are not open
 * are opened on this first use: the registration of a customer may still be on its way.
 */
export async function lockBook(tx: Tx, wanted: BookDraft, { now, ids }: Moment): Promise<AccountBook> {
  const found = await lockAccounts(tx, wanted);
  const missing = missingAccounts(wanted, found, () => ids.next());
  if (missing.length === 0) return accountBook(found);
  await openAccounts(tx, missing, now);
  return accountBook(await lockAccounts(tx, wanted));
}
