import type { TransactionKind } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement, type Tx } from '@provender/platform';
import type { Account, AccountDraft, BookDraft } from './domain/account.ts';
import type { MoneyHold, MoneyHoldDraft } from './domain/money-hold.ts';
import type { Stretch, TakingsSum } from './domain/takings.ts';
import type { Capture, Transaction } from './domain/transaction.ts';

const ACCOUNT_COLUMNS = 'id, kind, site_id AS "siteId", currency, balance, held, floor';

const ACCOUNT = statement('account', `SELECT ${ACCOUNT_COLUMNS} FROM accounts WHERE id = $1`);

// Customers and sites of a set in one statement and in id order, so that no two sets, deposits or holds can wait for
// each other. The lock is one that leaves readers and foreign keys alone. The sites' rows are locked here and not in
// post(), which would meet them after the customers. `kind <> 'customer'` lets the partial index find them.
const LOCK_ACCOUNTS = statement(
  'lock-accounts',
  `SELECT ${ACCOUNT_COLUMNS} FROM accounts
   WHERE id = ANY ($1::uuid[] || ARRAY(SELECT id FROM accounts WHERE kind <> 'customer' AND site_id = ANY ($2::uuid[])))
   ORDER BY id FOR NO KEY UPDATE`,
);
const LOCK_FOR_DEPOSIT = statement(
  'lock-for-deposit',
  `SELECT ${ACCOUNT_COLUMNS} FROM accounts
   WHERE id = ANY ($1::uuid || ARRAY(
     SELECT deposits.id FROM accounts AS own
     JOIN accounts AS deposits ON deposits.kind = 'deposits' AND deposits.site_id IS NULL
       AND deposits.currency = own.currency
     WHERE own.id = $1))
   ORDER BY id FOR NO KEY UPDATE`,
);

// Whoever opens first wins; the others read what is there.
const INSERT_ACCOUNTS = statement(
  'insert-accounts',
  `INSERT INTO accounts (id, kind, site_id, currency, opened_at)
   SELECT id, kind, site_id, currency, $5 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[])
     AS wanted (id, kind, site_id, currency)
   ON CONFLICT DO NOTHING RETURNING ${ACCOUNT_COLUMNS}`,
);

const POST = statement('post', 'SELECT post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)');

const CAPTURES = statement(
  'captures',
  `SELECT capture.id, capture.order_id AS "orderId", capture.site_id AS "siteId", capture.tender,
     capture.from_account AS "fromAccount", capture.to_account AS "toAccount", capture.amount, capture.currency,
     capture.hold_id AS "holdId", refund.id IS NOT NULL AS "isRefunded"
   FROM transactions AS capture
   LEFT JOIN transactions AS refund ON refund.kind = 'refund' AND refund.order_id = capture.order_id
   WHERE capture.kind = 'capture' AND capture.order_id = ANY ($1::uuid[])`,
);

const ENTRIES = statement(
  'entries',
  `SELECT entry.number, posted.id, posted.kind, entry.amount, entry.balance_after AS "balanceAfter", posted.currency,
     posted.order_id AS "orderId", posted.site_id AS "siteId", posted.at
   FROM entries AS entry JOIN transactions AS posted ON posted.id = entry.transaction_id
   WHERE entry.account_id = $1 AND ($3::bigint IS NULL OR entry.number < $3)
   ORDER BY entry.number DESC LIMIT $2`,
);

// Found by a block range index on the moment: the ledger grows in order of time.
const TAKINGS = statement(
  'takings',
  `SELECT kind, tender, currency, count(*) AS count, sum(amount)::bigint AS amount FROM transactions
   WHERE site_id = $1 AND at >= coalesce($2::timestamptz, '-infinity') AND at < coalesce($3::timestamptz, 'infinity')
   GROUP BY kind, tender, currency ORDER BY currency, tender, kind`,
);

const HOLD = statement(
  'hold',
  `SELECT hold.id, hold.account_id AS "accountId", hold.order_id AS "orderId", hold.site_id AS "siteId", hold.amount,
     account.currency, CASE WHEN hold.captured_by IS NOT NULL THEN 'captured'
       WHEN hold.released_at IS NOT NULL THEN 'released' ELSE 'open' END AS state
   FROM holds AS hold JOIN accounts AS account ON account.id = hold.account_id WHERE hold.id = $1`,
);
const INSERT_HOLD = statement(
  'insert-hold',
  'INSERT INTO holds (id, account_id, order_id, site_id, amount, authorised_at) VALUES ($1, $2, $3, $4, $5, $6)',
);
const RELEASE_HOLD = statement('release-hold', 'UPDATE holds SET released_at = $2 WHERE id = $1');

export async function readAccount(db: Query, id: string): Promise<Account | undefined> {
  return (await db.query<Account>(ACCOUNT, [id]))[0];
}

/** Reads the customers' accounts, and all accounts of the sites, and keeps others from them until the commit. */
export function lockAccounts(db: Query, { customerIds, tills }: BookDraft): Promise<Account[]> {
  return db.query<Account>(LOCK_ACCOUNTS, [customerIds, [...new Set(tills.map((till) => till.siteId))]]);
}

/** The same for a customer's account and the account that deposits in its currency come from. */
export function lockForDeposit(db: Query, accountId: string): Promise<Account[]> {
  return db.query<Account>(LOCK_FOR_DEPOSIT, [accountId]);
}

/** Opens accounts. Gives those that were not there before. */
export function insertAccounts(db: Query, accounts: readonly AccountDraft[], openedAt: Instant): Promise<Account[]> {
  return db.query<Account>(INSERT_ACCOUNTS, [
    accounts.map((account) => account.id),
    accounts.map((account) => account.kind),
    accounts.map((account) => account.siteId),
    accounts.map((account) => account.currency),
    formatInstant(openedAt),
  ]);
}

/**
 * Moves money: the database's one posting function. The accounts have been locked, in id order. It gives nothing to
 * wait for: what it refuses fails the transaction.
 */
export function postTransactions(tx: Tx, posted: readonly Transaction[], at: Instant): void {
  void tx.query(POST, [
    posted.map((transaction) => transaction.id),
    posted.map((transaction) => transaction.kind),
    posted.map((transaction) => transaction.orderId),
    posted.map((transaction) => transaction.siteId),
    posted.map((transaction) => transaction.tender),
    posted.map((transaction) => transaction.fromAccount),
    posted.map((transaction) => transaction.toAccount),
    posted.map((transaction) => transaction.amount.amount),
    posted.map((transaction) => transaction.amount.currency),
    posted.map((transaction) => transaction.holdId),
    formatInstant(at),
  ]);
}

type CaptureRow = Omit<Capture, 'kind' | 'amount'> & {
  readonly amount: number;
  readonly currency: string;
  readonly isRefunded: boolean;
};

/** What was captured for these orders, and which of them have their money back already. */
export async function readCaptures(
  db: Query,
  orderIds: readonly string[],
): Promise<{ readonly captures: readonly Capture[]; readonly refundedOrderIds: ReadonlySet<string> }> {
  const rows = await db.query<CaptureRow>(CAPTURES, [orderIds]);
  const refunded = rows.filter((row) => row.isRefunded).map((row) => row.orderId);
  return { captures: rows.map(captureOf), refundedOrderIds: new Set(refunded) };
}

function captureOf({ isRefunded: _, amount, currency, ...row }: CaptureRow): Capture {
  return { ...row, kind: 'capture', amount: { amount, currency } };
}

/** One line of an account's statement. */
export type EntryRow = {
  readonly number: number;
  readonly id: string;
  readonly kind: TransactionKind;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly currency: string;
  readonly orderId: string | null;
  readonly siteId: string | null;
  readonly at: Instant;
};

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listEntries(
  db: Query,
  accountId: string,
  { limit, after }: { readonly limit: number; readonly after?: readonly [number] },
): Promise<EntryRow[]> {
  return db.query<EntryRow>(ENTRIES, [accountId, limit + 1, after?.[0] ?? null]);
}

export function sumTakings(db: Query, siteId: string, { from, to }: Stretch): Promise<TakingsSum[]> {
  const moments = [from, to].map((moment) => (moment === undefined ? null : formatInstant(moment)));
  return db.query<TakingsSum>(TAKINGS, [siteId, ...moments]);
}

type HoldRow = Omit<MoneyHold, 'amount'> & { readonly amount: number; readonly currency: string };

export async function readHold(db: Query, id: string): Promise<MoneyHold | undefined> {
  const [row] = await db.query<HoldRow>(HOLD, [id]);
  if (row === undefined) return undefined;
  const { amount, currency, ...hold } = row;
  return { ...hold, amount: { amount, currency } };
}

export async function insertHold(db: Query, hold: MoneyHoldDraft, at: Instant): Promise<void> {
  const { id, accountId, orderId, siteId, amount } = hold;
  await db.query(INSERT_HOLD, [id, accountId, orderId, siteId, amount.amount, formatInstant(at)]);
}

export async function releaseHold(db: Query, id: string, at: Instant): Promise<void> {
  await db.query(RELEASE_HOLD, [id, formatInstant(at)]);
}
