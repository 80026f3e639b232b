import { accept, type Money, money, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Account, type AccountDraft, DEFAULT_CURRENCY } from '../domain/account.ts';
import { lockForDeposit, postTransactions, readAccount } from '../store.ts';
import type { Moment } from './moment.ts';
import { openAccounts, openCustomerAccounts } from './open-accounts.ts';

export type DepositWanted = {
  readonly accountId: string;
  readonly amount: Money;
  /** Opens the account where it is not open yet: for its owner, whose registration may still be on its way. */
  readonly opensAccount: boolean;
};

export type Deposit = {
  readonly id: string;
  readonly accountId: string;
  readonly amount: Money;
  readonly balance: Money;
};

export type DepositRefused = { readonly kind: 'account-unknown' } | { readonly kind: 'currency-mismatch' };

/**
 * Pays money in to a customer's account and says `deposit-received`.
 * Refuses, in this order: `account-unknown`, and `currency-mismatch` where the account is kept in another currency.
 */
export async function deposit(tx: Tx, wanted: DepositWanted, moment: Moment): Promise<Result<Deposit, DepositRefused>> {
  const { accountId, amount } = wanted;
  const accounts = await lockBoth(tx, wanted, moment);
  if (accounts === undefined) return refuse({ kind: 'account-unknown' });
  const { own, deposits } = accounts;
  if (own.currency !== amount.currency) return refuse({ kind: 'currency-mismatch' });
  const id = moment.ids.next();
  const nowhere = { orderId: null, siteId: null, tender: null, holdId: null };
  const posted = { id, kind: 'deposit' as const, fromAccount: deposits.id, toAccount: own.id, amount, ...nowhere };
  postTransactions(tx, [posted], moment.now);
  const balance = money(own.balance + amount.amount, own.currency);
  const data = { accountId, amount, balance };
  tx.append([{ type: 'bank.deposit-received.v1', key: accountId, subject: accountId, data }]);
  return accept({ id, ...data });
}

/** The first money of an account: what {@link deposit} does, unless there is some already. Safe to run again. */
export async function depositFirst(
  tx: Tx,
  wanted: DepositWanted,
  moment: Moment,
): Promise<Result<Deposit | undefined, DepositRefused>> {
  const account = await readAccount(tx, wanted.accountId);
  return account !== undefined && account.balance > 0 ? accept(undefined) : deposit(tx, wanted, moment);
}

type Both = { readonly own: Account; readonly deposits: Account };

async function lockBoth(tx: Tx, { accountId, opensAccount }: DepositWanted, moment: Moment): Promise<Both | undefined> {
  const found = bothOf(await lockForDeposit(tx, accountId), accountId);
  if (found.own !== undefined && found.deposits !== undefined) return { own: found.own, deposits: found.deposits };
  if (found.own === undefined && !opensAccount) return undefined;
  if (found.own === undefined) await openCustomerAccounts(tx, [accountId], moment.now);
  const currency = found.own?.currency ?? DEFAULT_CURRENCY;
  if (found.deposits === undefined) await openAccounts(tx, [depositsAccount(currency, moment)], moment.now);
  const { own, deposits } = bothOf(await lockForDeposit(tx, accountId), accountId);
  if (own === undefined || deposits === undefined) throw new Error('An account that was just opened is not there');
  return { own, deposits };
}

function bothOf(
  accounts: readonly Account[],
  accountId: string,
): { own: Account | undefined; deposits: Account | undefined } {
  return {
    own: accounts.find((account) => account.id === accountId && account.kind === 'customer'),
    deposits: accounts.find((account) => account.kind === 'deposits'),
  };
}

function depositsAccount(currency: string, { ids }: Moment): AccountDraft {
  return { id: ids.next(), kind: 'deposits', siteId: null, currency };
}
