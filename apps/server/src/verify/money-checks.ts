import type { Check } from './checks.ts';

const contexts = ['bank'] as const;

/** P5: money is neither made nor lost. */
export const moneyChecks: readonly Check[] = [
  {
    name: 'every transaction balances, in the currency of both its accounts',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT transactions.id AS "transactionId", transactions.amount, sum(entries.amount) AS sum,
        count(entries.amount) AS entries
      FROM bank.transactions
      LEFT JOIN bank.entries ON entries.transaction_id = transactions.id
      LEFT JOIN bank.accounts ON accounts.id = entries.account_id
      WHERE transactions.at >= :since
      GROUP BY transactions.id
      HAVING count(entries.amount) <> 2 OR sum(entries.amount) <> 0
        OR NOT bool_and(accounts.currency = transactions.currency AND (
          (entries.account_id = transactions.to_account AND entries.amount = transactions.amount)
          OR (entries.account_id = transactions.from_account AND entries.amount = -transactions.amount)))`,
  },
  {
    name: 'every entry belongs to a transaction',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT entries.account_id AS "accountId", entries.number, entries.amount FROM bank.entries
      LEFT JOIN bank.transactions ON transactions.id = entries.transaction_id WHERE transactions.id IS NULL`,
  },
  {
    name: 'the ledger and the balances sum to zero in every currency',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT currency, sum(balance) AS balances, sum(moved) AS entries FROM (
        SELECT accounts.currency, accounts.balance, coalesce(found.sum, 0) AS moved FROM bank.accounts
        LEFT JOIN (SELECT account_id, sum(amount) FROM bank.entries GROUP BY account_id) AS found
          ON found.account_id = accounts.id
      ) AS account GROUP BY currency HAVING sum(balance) <> 0 OR sum(moved) <> 0`,
  },
  {
    name: "an account's balance is the sum of its entries, which are numbered without a gap",
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT coalesce(accounts.id, found.account_id) AS "accountId", accounts.balance, found.sum,
        accounts.last_entry AS "lastEntry", found.count
      FROM bank.accounts FULL JOIN (
        SELECT account_id, sum(amount), count(*), max(number) AS last FROM bank.entries GROUP BY account_id
      ) AS found ON found.account_id = accounts.id
      WHERE accounts.balance IS DISTINCT FROM coalesce(found.sum, 0)
        OR accounts.last_entry IS DISTINCT FROM coalesce(found.count, 0) OR found.last <> found.count`,
  },
  {
    name: 'the running balance of a statement adds up',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT account_id AS "accountId", number FROM (
        SELECT account_id, number, balance_after, amount,
          coalesce(lag(balance_after) OVER (PARTITION BY account_id ORDER BY number), 0) AS before
        FROM bank.entries
      ) AS entry WHERE balance_after <> before + amount`,
  },
  {
    name: 'no customer account is, or ever was, below zero',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT accounts.id AS "accountId", accounts.balance, accounts.held FROM bank.accounts
      WHERE accounts.kind = 'customer' AND (
        accounts.balance - accounts.held < 0
        OR EXISTS (SELECT FROM bank.entries WHERE entries.account_id = accounts.id AND entries.balance_after < 0))`,
  },
  {
    name: 'what is held of an account is the sum of its open holds',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT coalesce(accounts.id, open.account_id) AS "accountId", accounts.held, open.sum
      FROM bank.accounts FULL JOIN (
        SELECT account_id, sum(amount) FROM bank.holds WHERE captured_by IS NULL AND released_at IS NULL
        GROUP BY account_id
      ) AS open ON open.account_id = accounts.id
      WHERE accounts.held IS DISTINCT FROM coalesce(open.sum, 0)`,
  },
  {
    name: 'a hold of money that was captured has its capture',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT coalesce(holds.id, capture.hold_id) AS "holdId", capture.id AS "transactionId"
      FROM (SELECT * FROM bank.holds WHERE captured_by IS NOT NULL) AS holds
      FULL JOIN (SELECT * FROM bank.transactions WHERE hold_id IS NOT NULL) AS capture ON capture.id = holds.captured_by
      WHERE holds.id IS DISTINCT FROM capture.hold_id OR holds.order_id <> capture.order_id
        OR holds.account_id <> capture.from_account OR holds.amount <> capture.amount`,
  },
];
