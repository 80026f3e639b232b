import type { Money, Result } from '@provender/kernel';
import type { ContextModule, ContextPlatform, OpenContext } from '@provender/platform';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { type Deposit, type DepositRefused, deposit, depositFirst } from './use-cases/deposit.ts';

/** What the bank offers to the composition beside its routes. */
export type OpenBank = OpenContext & {
  /** Pays money in to a customer's account; opens the account where it is not open yet. */
  deposit(accountId: string, amount: Money): Promise<Result<Deposit, DepositRefused>>;
  /** The same, unless there is money on it: for the demo, which may be cut off and begin again. */
  depositFirst(accountId: string, amount: Money): Promise<Result<Deposit | undefined, DepositRefused>>;
};

/** Accounts and the double-entry ledger: deposits, captures and refunds of orders, holds of money, takings of sites. */
export const bank: ContextModule<OpenBank> = {
  context: 'bank',
  migrations: new URL('../migrations/', import.meta.url),
  open,
};

function open({ db, clock, ids, settings }: ContextPlatform): OpenBank {
  return {
    reactions: reactions({ clock, ids }),
    routes: (app) => routes(app, { db, ids, isDemo: settings.demo }),
    deposit: (accountId, amount) =>
      db.withTx((tx) => deposit(tx, { accountId, amount, opensAccount: true }, { now: clock.now(), ids })),
    depositFirst: (accountId, amount) =>
      db.withTx((tx) => depositFirst(tx, { accountId, amount, opensAccount: true }, { now: clock.now(), ids })),
  };
}
