import type { Said } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Account, type AccountDraft, DEFAULT_CURRENCY } from '../domain/account.ts';
import { insertAccounts } from '../store.ts';

/** Opens those of the accounts that are not open, and says so of the customers'. Safe to run twice and at once. */
export async function openAccounts(tx: Tx, drafts: readonly AccountDraft[], now: Instant): Promise<readonly Account[]> {
  if (drafts.length === 0) return [];
  const opened = await insertAccounts(tx, drafts, now);
  tx.append(opened.filter((account) => account.kind === 'customer').map(accountOpened));
  return opened;
}

/** Opens accounts of customers by their user ids, each in the default currency. */
export function openCustomerAccounts(tx: Tx, userIds: readonly string[], now: Instant): Promise<readonly Account[]> {
  return openAccounts(tx, userIds.map(customerAccount), now);
}

function customerAccount(userId: string): AccountDraft {
  return { id: userId, kind: 'customer', siteId: null, currency: DEFAULT_CURRENCY };
}

function accountOpened({ id, balance, currency }: Account): Said {
  const data = { accountId: id, userId: id, balance: { amount: balance, currency } };
  return { type: 'bank.account-opened.v1', key: id, subject: id, data };
}
