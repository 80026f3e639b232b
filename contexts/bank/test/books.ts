import type { Said, TenderKind } from '@provender/contracts';
import { formatInstant, type Instant, MINUTE, type Money, money, plus } from '@provender/kernel';
import { type Database, randomIds, statement, type Tx } from '@provender/platform';
import { openTestContext, type TestContext } from '@provender/platform/testing';
import { expect } from 'vitest';
import { bank, type OpenBank } from '../src/index.ts';

export const ids = randomIds();
export const SITE = ids.next();

export type BankTest = TestContext<OpenBank>;

export function openBankTest(env: Record<string, string> = {}): Promise<BankTest> {
  return openTestContext(bank, { env });
}

export function euros(amount: number): Money {
  return money(amount, 'EUR');
}

export type PaymentAsk = {
  readonly orderId?: string;
  readonly siteId?: string;
  readonly amount?: Money;
  readonly tender?: TenderKind;
  readonly customerId?: string;
  readonly notAfter?: Instant;
};

/** What the orders context says when it wants an order's money. */
export function paymentRequested({ clock }: BankTest, ask: PaymentAsk): Said {
  const { orderId = ids.next(), siteId = SITE, amount = euros(350), tender = 'account', customerId } = ask;
  const notAfter = formatInstant(ask.notAfter ?? plus(clock.now(), MINUTE));
  const payer = customerId === undefined ? {} : { customerId };
  return {
    type: 'orders.payment-requested.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, amount, tender, notAfter, ...payer },
  };
}

export function refundRequested(orderId: string, amount = euros(350)): Said {
  const data = { orderId, siteId: SITE, amount, reason: 'cancelled-by-customer' };
  return { type: 'orders.refund-requested.v1', key: SITE, subject: orderId, data };
}

export function userRegistered(userId: string): Said {
  const data = { userId, email: 'ann@example.com', name: 'Ann', roles: ['customer' as const] };
  return { type: 'identity.user-registered.v1', key: userId, subject: userId, data };
}

/** A customer with that much on the account. */
export async function customerWith(test: BankTest, amount: number): Promise<string> {
  const id = ids.next();
  if (amount === 0) await test.hear([userRegistered(id)]);
  else expect(await test.running.open.deposit(id, euros(amount))).toMatchObject({ ok: true });
  return id;
}

type AccountRow = { readonly balance: number; readonly held: number; readonly lastEntry: number };

export async function accountOf(test: BankTest, id: string): Promise<AccountRow | undefined> {
  const text = 'SELECT balance, held, last_entry AS "lastEntry" FROM accounts WHERE id = $1';
  return (await test.running.db.query<AccountRow>(statement('test-account', text), [id]))[0];
}

/** The balance of a site's account; zero where none is open. */
export async function balanceOfSite(test: BankTest, kind: string, siteId = SITE): Promise<number> {
  const text = 'SELECT balance FROM accounts WHERE kind = $1 AND site_id = $2 AND currency = $3';
  const [row] = await test.running.db.query<{ balance: number }>(statement('test-site', text), [kind, siteId, 'EUR']);
  return row?.balance ?? 0;
}

/** Sums of the whole ledger that must be as they are after whatever happened. */
export async function expectBalancedBooks(test: BankTest): Promise<void> {
  const [row] = await test.sql<Record<string, string>>(`
    SELECT
      (SELECT coalesce(sum(balance), 0) FROM bank.accounts) AS all_balances,
      (SELECT count(*) FROM (
         SELECT FROM bank.entries GROUP BY transaction_id HAVING sum(amount) <> 0 OR count(*) <> 2) x) AS unbalanced,
      (SELECT count(*) FROM bank.transactions t WHERE NOT EXISTS (
         SELECT FROM bank.entries e
         WHERE e.transaction_id = t.id AND e.account_id = t.to_account AND e.amount = t.amount)) AS without_entries,
      (SELECT count(*) FROM bank.accounts a
       LEFT JOIN LATERAL (
         SELECT sum(amount) AS total, count(*) AS entries, coalesce(max(number), 0) AS last
         FROM bank.entries e WHERE e.account_id = a.id) e ON true
       WHERE coalesce(e.total, 0) <> a.balance OR e.entries <> a.last_entry OR e.last <> a.last_entry
      ) AS wrong_balances,
      (SELECT count(*) FROM (
         SELECT balance_after - amount
           - lag(balance_after, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY number) AS gap
         FROM bank.entries) x WHERE gap <> 0) AS gaps,
      (SELECT count(*) FROM bank.accounts a WHERE held <> (
         SELECT coalesce(sum(amount), 0) FROM bank.holds h
         WHERE h.account_id = a.id AND captured_by IS NULL AND released_at IS NULL)) AS wrong_held,
      (SELECT count(*) FROM bank.accounts WHERE balance - held < floor) AS below_floor`);
  expect(row).toEqual({
    all_balances: '0',
    unbalanced: '0',
    without_entries: '0',
    wrong_balances: '0',
    gaps: '0',
    wrong_held: '0',
    below_floor: '0',
  });
}

export function inTx<Value>({ running }: BankTest, work: (tx: Tx, db: Database) => Promise<Value>): Promise<Value> {
  return running.db.withTx((tx) => work(tx, running.db));
}
