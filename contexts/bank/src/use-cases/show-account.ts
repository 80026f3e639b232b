import type { Instant } from '@provender/kernel';
import { type Database, traced } from '@provender/platform';
import type { Account } from '../domain/account.ts';
import { readAccount } from '../store.ts';

import { openCustomerAccounts } from './open-accounts.ts';

/** Gives a customer's account, or undefined where there is none. */
export async function showAccount(db: Database, id: string): Promise<Account | undefined> {
  const account = await readAccount(db, id);
  return account?.kind === 'customer' ? account : undefined;
}

type Asked = { readonly now: Instant; readonly traceparent: string };

/** Gives a user's own account; opens it where the registration has not come through yet. */
export async function showOwnAccount(db: Database, userId: string, { now, traceparent }: Asked): Promise<Account> {
  const found = await showAccount(db, userId);
  if (found !== undefined) return found;
  await db.withTx((tx) => openCustomerAccounts(traced(tx, traceparent), [userId], now));
  const opened = await showAccount(db, userId);
  if (opened === undefined) throw new Error('An account that was just opened is not there');
  return opened;
}
