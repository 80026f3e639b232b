import type { Plant } from './plants.ts';

const BALANCES = 'every transaction balances, in the currency of both its accounts';
const ENTRIES = "an account's balance is the sum of its entries, which are numbered without a gap";
const ORPHANS = 'every entry belongs to a transaction';
const ZERO = 'the ledger and the balances sum to zero in every currency';
const BELOW = 'no customer account is, or ever was, below zero';
const CUSTOMER = "(SELECT id FROM bank.accounts WHERE kind = 'customer' AND balance > 0 LIMIT 1)";
const PROFILE = 'the profile of everybody has the money that is on their account';
const CAPTURED = 'a hold of money that was captured has its capture';

export const moneyPlants: readonly Plant[] = [
  {
    what: 'a deposit that says more than its entries',
    breaks: BALANCES,
    sql: ["UPDATE bank.transactions SET amount = amount + 1 WHERE kind = 'deposit'"],
  },
  {
    what: 'a deposit in another currency than its accounts',
    breaks: BALANCES,
    sql: ["UPDATE bank.transactions SET currency = 'USD' WHERE kind = 'deposit'"],
  },
  {
    what: 'entries that no transaction explains',
    breaks: ORPHANS,
    sql: ["DELETE FROM bank.transactions WHERE kind = 'deposit'"],
  },
  {
    what: 'money that came from nowhere',
    breaks: ZERO,
    breaksToo: [ORPHANS, PROFILE],
    sql: [
      `INSERT INTO bank.entries SELECT id, last_entry + 1, gen_random_uuid(), 5, balance + 5 FROM bank.accounts
       WHERE id = ${CUSTOMER}`,
      `UPDATE bank.accounts SET balance = balance + 5, last_entry = last_entry + 1 WHERE id = ${CUSTOMER}`,
    ],
  },
  {
    what: 'a balance that its entries do not explain',
    breaks: ENTRIES,
    breaksToo: [ZERO, PROFILE],
    sql: [`UPDATE bank.accounts SET balance = balance + 1 WHERE id = ${CUSTOMER}`],
  },
  {
    what: 'an account that counts more entries than it has',
    breaks: ENTRIES,
    sql: [`UPDATE bank.accounts SET last_entry = last_entry + 1 WHERE id = ${CUSTOMER}`],
  },
  {
    what: 'a statement whose balance jumps',
    breaks: 'the running balance of a statement adds up',
    sql: [
      `UPDATE bank.entries SET balance_after = balance_after + 1
       WHERE (account_id, number) IN (SELECT id, last_entry FROM bank.accounts WHERE kind = 'sales')`,
    ],
  },
  {
    what: 'a customer with more set aside than there is',
    breaks: BELOW,
    sql: [
      'ALTER TABLE bank.accounts DROP CONSTRAINT available_at_least_floor',
      `INSERT INTO bank.holds (id, account_id, order_id, site_id, amount, authorised_at)
       SELECT gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), balance + 1, :now FROM bank.accounts
       WHERE id = ${CUSTOMER}`,
      `UPDATE bank.accounts SET held = balance + 1 WHERE id = ${CUSTOMER}`,
    ],
  },
  {
    what: 'a customer who was below zero for a moment',
    breaks: BELOW,
    breaksToo: ['the running balance of a statement adds up'],
    sql: [`UPDATE bank.entries SET balance_after = -1 WHERE number = 1 AND account_id = ${CUSTOMER}`],
  },
  {
    what: 'money that is held for nothing',
    breaks: 'what is held of an account is the sum of its open holds',
    sql: [`UPDATE bank.accounts SET held = 1 WHERE id = ${CUSTOMER}`],
  },
  {
    what: 'a hold that was captured by nothing',
    breaks: CAPTURED,
    sql: [
      `INSERT INTO bank.holds (id, account_id, order_id, site_id, amount, authorised_at, captured_by)
       SELECT gen_random_uuid(), ${CUSTOMER}, gen_random_uuid(), gen_random_uuid(), 1, :now, gen_random_uuid()`,
    ],
  },
  {
    what: 'a capture of a hold that is not there',
    breaks: CAPTURED,
    sql: ["UPDATE bank.transactions SET hold_id = gen_random_uuid() WHERE kind = 'capture'"],
  },
];
