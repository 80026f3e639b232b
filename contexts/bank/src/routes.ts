import {
  AccountView,
  DepositDraft,
  DepositView,
  EntryPage,
  type EntryView,
  IdParams,
  PageQuery,
  TakingsQuery,
  TakingsView,
} from '@provender/contracts';
import { formatInstant, money } from '@provender/kernel';
import {
  actsAs,
  answer,
  type Database,
  type HttpApp,
  type Ids,
  page,
  paged,
  problem,
  read,
  type Rendered,
  write,
} from '@provender/platform';
import { type Account, available } from './domain/account.ts';
import { type DepositRefusal, depositTarget } from './domain/deposit.ts';
import { type Stretch, stretchOf, type Takings, takingsOf } from './domain/takings.ts';
import { type EntryRow, listEntries, sumTakings } from './store.ts';
import { type DepositRefused, deposit } from './use-cases/deposit.ts';
import { showAccount, showOwnAccount } from './use-cases/show-account.ts';

export type BankRoutes = {
  readonly db: Database;
  readonly ids: Ids;
  /** Customers may pay in to their own accounts. */
  readonly isDemo: boolean;
};

/** Whoever is a person; a machine has no account. */
const PEOPLE = ['customer', 'staff'] as const;

export function routes(app: HttpApp, bank: BankRoutes): void {
  ownAccountRoutes(app, bank);
  accountRoute(app, bank);
  depositRoute(app, bank);
  takingsRoute(app, bank);
}

function ownAccountRoutes(app: HttpApp, { db }: BankRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/bank/accounts/me',
    access: PEOPLE,
    summary: "The caller's account",
    schema: { response: AccountView },
    handle: async ({ caller, ...moment }) => accountView(await showOwnAccount(db, caller.id, moment)),
  });
  read(app, {
    method: 'GET',
    url: '/api/bank/accounts/me/entries',
    access: PEOPLE,
    summary: "The statement of the caller's account, newest first",
    schema: { querystring: PageQuery, response: EntryPage },
    async handle({ caller, query }) {
      const paging = paged(query, ['integer']);
      if (!paging.ok) return paging.refusal;
      const rows = await listEntries(db, caller.id, paging.value);
      return page(rows, paging.value.limit, entryView, (row) => [row.number]);
    },
  });
}

function accountRoute(app: HttpApp, { db }: BankRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/bank/accounts/:id',
    access: PEOPLE,
    summary: 'An account: by its owner, or by a manager',
    schema: { params: IdParams, response: AccountView },
    async handle({ params, caller, ...moment }) {
      if (params.id === caller.id) return accountView(await showOwnAccount(db, caller.id, moment));
      const account = actsAs(caller, 'manager') ? await showAccount(db, params.id) : undefined;
      return account === undefined ? noSuchAccount() : accountView(account);
    },
  });
}

function depositRoute(app: HttpApp, { db, ids, isDemo }: BankRoutes): void {
  write(app, {
    method: 'POST',
    url: '/api/bank/deposits',
    access: PEOPLE,
    summary: 'Pay money in to an account',
    description: 'A manager to any account; others to their own, and only in a demo (PROVENDER_DEMO=on).',
    schema: { body: DepositDraft, response: { 201: DepositView } },
    db,
    problems: { 'not-found': 404, 'currency-mismatch': 409 },
    async handle({ body, caller, now }, tx) {
      const isManager = actsAs(caller, 'manager');
      const target = depositTarget({ callerId: caller.id, isManager, accountId: body.accountId, isDemo });
      if (!target.ok) return refusedDeposit(target.refusal);
      const { accountId, isOwn } = target.value;
      const paid = await deposit(tx, { accountId, amount: body.amount, opensAccount: isOwn }, { now, ids });
      return paid.ok ? answer(201, paid.value) : refusedDeposit(paid.refusal);
    },
  });
}

function takingsRoute(app: HttpApp, { db }: BankRoutes): void {
  read(app, {
    method: 'GET',
    url: '/api/bank/takings',
    access: ['staff'],
    summary: 'What a site took and gave back in a stretch of time, by tender',
    schema: { querystring: TakingsQuery, response: TakingsView },
    async handle({ query }) {
      const stretch = stretchOf(query.from, query.to);
      if (!stretch.ok) {
        const errors = [{ pointer: '/to', detail: 'must be later than from' }];
        return problem('invalid-request', { detail: 'The stretch of time ends before it begins.', errors });
      }
      return takingsView(query.siteId, stretch.value, takingsOf(await sumTakings(db, query.siteId, stretch.value)));
    },
  });
}

function noSuchAccount() {
  return problem('not-found', { detail: 'There is no such account.' });
}

function refusedDeposit(refusal: DepositRefusal | DepositRefused) {
  switch (refusal.kind) {
    case 'not-found':
    case 'account-unknown':
      return noSuchAccount();
    case 'forbidden':
      return problem('forbidden', {
        detail: 'Deposits to an own account are for demos only; a manager may make them.',
      });
    case 'currency-mismatch':
      return problem('currency-mismatch', { detail: 'The account is kept in another currency.' });
  }
}

function accountView(account: Account): AccountView {
  const { id, balance, held, currency } = account;
  return {
    id,
    balance: money(balance, currency),
    held: money(held, currency),
    available: money(available(account), currency),
  };
}

function entryView(row: EntryRow): Rendered<EntryView> {
  const { id, kind, amount, balanceAfter, currency, orderId, siteId, at } = row;
  return {
    id,
    kind,
    amount: money(amount, currency),
    balance: money(balanceAfter, currency),
    orderId: orderId ?? undefined,
    siteId: siteId ?? undefined,
    at: formatInstant(at),
  };
}

function takingsView(siteId: string, { from, to }: Stretch, takings: readonly Takings[]): Rendered<TakingsView> {
  const items = takings.map(({ tender, currency, captures, captured, refunds, refunded }) => ({
    tender,
    captures,
    captured: money(captured, currency),
    refunds,
    refunded: money(refunded, currency),
    net: money(captured - refunded, currency),
  }));
  return {
    siteId,
    from: from === undefined ? undefined : formatInstant(from),
    to: to === undefined ? undefined : formatInstant(to),
    items,
  };
}
