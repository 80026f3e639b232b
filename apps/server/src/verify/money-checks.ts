import type { Check } from './checks.ts';

const contexts = ['bank'] as const;

export const moneyChecks: readonly Check[] = [
  {
    name: 'every transaction balances',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT transactions.id AS "transactionId", sum(entries.amount) AS sum, count(entries.amount) AS entries
      FROM bank.transactions LEFT JOIN bank.entries ON entries.transaction_id = transactions.id
      WHERE transactions.at >= :since
      GROUP BY transactions.id
      HAVING count(entries.amount) <> 2 OR sum(entries.amount) <> 0 OR max(entries.amount) <> max(transactions.amount)`,
  },
  {
    name: 'every entry belongs to a transaction',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT entries.account_id AS "accountId", entries.number FROM bank.entries
      LEFT JOIN bank.transactions ON transactions.id = entries.transaction_id WHERE transactions.id IS NULL`,
  },
  {
    name: 'the ledger sums to zero in every currency',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT accounts.currency, sum(entries.amount) AS sum
      FROM bank.entries JOIN bank.accounts ON accounts.id = entries.account_id
      GROUP BY accounts.currency HAVING sum(entries.amount) <> 0`,
  },
  {
    name: "an account's balance is the sum of its entries, which are numbered without a gap",
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT accounts.id AS "accountId", accounts.balance, found.sum FROM bank.accounts
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS sum, count(*) AS count, coalesce(max(number), 0) AS last FROM bank.entries
        WHERE entries.account_id = accounts.id
      ) AS found
      WHERE accounts.balance <> found.sum OR accounts.last_entry <> found.count OR found.last <> found.count`,
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
    name: 'no customer account is below zero, and holds are covered',
    promise: 'P5',
    kind: 'safety',
    contexts,
    sql: `
      SELECT accounts.id AS "accountId", accounts.balance, accounts.held FROM bank.accounts
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS sum FROM bank.holds
        WHERE holds.account_id = accounts.id AND captured_by IS NULL AND released_at IS NULL
      ) AS open
      WHERE accounts.held <> open.sum OR (accounts.kind = 'customer' AND accounts.balance - accounts.held < 0)`,
  },
];
