import { formatInstant, money } from '@provender/kernel';
import { errorCode, statement } from '@provender/platform';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Transaction } from '../src/domain/transaction.ts';
import { insertAccounts, postTransactions } from '../src/store.ts';
import { accountOf, type BankTest, euros, expectBalancedBooks, ids, inTx, openBankTest, SITE } from './books.ts';

let test: BankTest;
beforeAll(async () => {
  test = await openBankTest();
});
afterAll(() => test.close());

let ann: string;
let bob: string;
let sales: string;
let deposits: string;

/** Two customers, the takings of a new site, and the outside world. */
beforeEach(async () => {
  [ann, bob, sales, deposits] = [ids.next(), ids.next(), ids.next(), ids.next()] as [string, string, string, string];
  const drafts = [
    { id: ann, kind: 'customer' as const, siteId: null, currency: 'EUR' },
    { id: bob, kind: 'customer' as const, siteId: null, currency: 'EUR' },
    { id: sales, kind: 'sales' as const, siteId: ids.next(), currency: 'EUR' },
    { id: deposits, kind: 'deposits' as const, siteId: null, currency: 'EUR' },
  ];
  await inTx(test, (tx) => insertAccounts(tx, drafts, test.clock.now()));
  const [row] = await test.sql<{ id: string }>(
    "SELECT id FROM bank.accounts WHERE kind = 'deposits' AND currency = 'EUR'",
  );
  deposits = row?.id ?? deposits;
});

function movement(change: Partial<Transaction>): Transaction {
  const order = { orderId: ids.next(), siteId: SITE, tender: 'account' as const };
  const accounts = { fromAccount: ann, toAccount: sales };
  return { id: ids.next(), kind: 'capture', ...order, ...accounts, amount: euros(100), holdId: null, ...change };
}

function deposited(toAccount: string, amount: number): Transaction {
  const nowhere = { orderId: null, siteId: null, tender: null };
  return movement({ kind: 'deposit', fromAccount: deposits, toAccount, amount: euros(amount), ...nowhere });
}

function post(...transactions: Transaction[]): Promise<void> {
  return inTx(test, async (tx) => postTransactions(tx, transactions, test.clock.now()));
}

/** The code of the error that the database answers with. */
async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
}

const PERMISSION_DENIED = '42501';
const CHECK_VIOLATION = '23514';
const UNIQUE_VIOLATION = '23505';

describe('the posting function', () => {
  it('given a set, when it is posted, then each account has its entries in order, with balances', async () => {
    await post(deposited(ann, 500), movement({}), deposited(ann, 5), movement({ amount: euros(0) }));
    const rows = await test.sql(
      `SELECT number::int, amount::int, balance_after::int AS after FROM bank.entries
       WHERE account_id = $1 ORDER BY number`,
      [ann],
    );
    expect(rows).toEqual([
      { number: 1, amount: 500, after: 500 },
      { number: 2, amount: -100, after: 400 },
      { number: 3, amount: 5, after: 405 },
      { number: 4, amount: 0, after: 405 },
    ]);
    expect(await accountOf(test, ann)).toEqual({ balance: 405, held: 0, lastEntry: 4 });
    await expectBalancedBooks(test);
  });

  it('given too little money, when a set takes more, then nothing of the set is written', async () => {
    await post(deposited(ann, 150));
    expect(await codeOf(post(deposited(bob, 7), movement({}), movement({})))).toBe(CHECK_VIOLATION);
    expect(await accountOf(test, ann)).toMatchObject({ balance: 150, lastEntry: 1 });
    expect(await accountOf(test, bob)).toMatchObject({ balance: 0, lastEntry: 0 });
    await expectBalancedBooks(test);
  });

  it('given an account that is unknown or in another currency, when money is to move, then it is refused', async () => {
    await post(deposited(ann, 500));
    expect(await codeOf(post(movement({ toAccount: ids.next() })))).toBe('PV103');
    expect(await codeOf(post(movement({ amount: money(100, 'USD') })))).toBe('PV103');
    expect(await codeOf(post(movement({ toAccount: ann })))).toBe(CHECK_VIOLATION);
    expect(await codeOf(post(movement({ amount: euros(-1) })))).toBe(CHECK_VIOLATION);
  });

  it('given an order, when it is captured or refunded a second time, then the database refuses', async () => {
    const capture = movement({});
    const { orderId } = capture;
    const refund = movement({ kind: 'refund', orderId, fromAccount: sales, toAccount: ann });
    await post(deposited(ann, 500), capture);
    expect(await codeOf(post(movement({ orderId })))).toBe(UNIQUE_VIOLATION);
    await post(refund);
    expect(await codeOf(post({ ...refund, id: ids.next() }))).toBe(UNIQUE_VIOLATION);
    expect(await accountOf(test, ann)).toMatchObject({ balance: 500 });
  });

  it('given a capture, when a refund is of another amount, person or order, then it is refused', async () => {
    const capture = movement({});
    await post(deposited(ann, 500), capture);
    const refund = movement({ kind: 'refund', orderId: capture.orderId, fromAccount: sales, toAccount: ann });
    expect(await codeOf(post({ ...refund, amount: euros(101) }))).toBe('PV101');
    expect(await codeOf(post({ ...refund, toAccount: bob }))).toBe('PV101');
    expect(await codeOf(post({ ...refund, orderId: ids.next() }))).toBe('PV101');
  });

  it('given any sets of movements, when those that can be are posted, then the books stay balanced', async () => {
    const moves = fc.array(
      fc.record({ from: fc.integer({ min: 0, max: 3 }), step: fc.integer({ min: 1, max: 3 }), amount: fc.nat(300) }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(moves, async (set) => {
        const accounts = [ann, bob, sales, deposits];
        const at = (index: number) => accounts[index % 4] ?? ann;
        const posted = set.map(({ from, step, amount }) =>
          movement({ fromAccount: at(from), toAccount: at(from + step), amount: euros(amount) }),
        );
        expect([undefined, CHECK_VIOLATION]).toContain(await codeOf(post(...posted)));
        await expectBalancedBooks(test);
      }),
      { numRuns: 40 },
    );
  });
});

describe('what the role of the bank may not do', () => {
  const writes = {
    'insert an entry': `INSERT INTO entries VALUES ($1, 1, $1, 5, 5)`,
    'change an entry': `UPDATE entries SET amount = 1 WHERE account_id = $1`,
    'delete an entry': `DELETE FROM entries WHERE account_id = $1`,
    'insert a transaction': `INSERT INTO transactions (id) VALUES ($1)`,
    'change a transaction': `UPDATE transactions SET amount = 1 WHERE id = $1`,
    'delete a transaction': `DELETE FROM transactions WHERE id = $1`,
    'write a balance': `UPDATE accounts SET balance = 1 WHERE id = $1`,
    'write what is held': `UPDATE accounts SET held = 0 WHERE id = $1`,
    'number an entry': `UPDATE accounts SET last_entry = 0 WHERE id = $1`,
    'open an account with money on it': `INSERT INTO accounts (id, kind, currency, balance, opened_at)
      VALUES ($1, 'customer', 'EUR', 1, now())`,
    'move an account to another currency': `UPDATE accounts SET currency = 'USD' WHERE id = $1`,
    'delete an account': `DELETE FROM accounts WHERE id = $1`,
    'change the amount of a hold': `UPDATE holds SET amount = 1 WHERE id = $1`,
    'call a hold captured': `UPDATE holds SET captured_by = $1 WHERE id = $1`,
    'delete a hold': `DELETE FROM holds WHERE id = $1`,
  };

  it.each(Object.entries(writes))(
    'given its role, when it tries to %s, then the database refuses',
    async (what, text) => {
      expect(await codeOf(inTx(test, (tx) => tx.query(statement(what, text), [ann])))).toBe(PERMISSION_DENIED);
    },
  );

  it('given the role, when it empties the ledger, then the database refuses', async () => {
    for (const table of ['entries', 'transactions', 'accounts', 'holds']) {
      const text = `TRUNCATE ${table} CASCADE`;
      expect(await codeOf(inTx(test, (tx) => tx.query(statement(text, text))))).toBe(PERMISSION_DENIED);
    }
  });

  it('given the owner of the tables, when it changes what is written, then the database refuses', async () => {
    await post(deposited(ann, 500));
    expect(await codeOf(test.sql('UPDATE bank.entries SET amount = 1'))).toBe('PV100');
    expect(await codeOf(test.sql('DELETE FROM bank.transactions'))).toBe('PV100');
    expect(await codeOf(test.sql('TRUNCATE bank.entries'))).toBe('PV100');
  });

  it('given the owner of the tables, when it writes a floor, then the database refuses', async () => {
    const credit = test.sql('UPDATE bank.accounts SET floor = -100 WHERE id = $1', [ann]);
    expect(await codeOf(credit)).toBe('428C9');
  });

  it('given an open account of a site, when another is opened for the same place, then the first stays', async () => {
    const siteId = ids.next();
    const draft = { kind: 'cash' as const, siteId, currency: 'EUR' };
    const open = () => inTx(test, (tx) => insertAccounts(tx, [{ id: ids.next(), ...draft }], test.clock.now()));
    expect(await open()).toHaveLength(1);
    expect(await open()).toHaveLength(0);
    const opened = await test.sql('SELECT opened_at FROM bank.accounts WHERE site_id = $1', [siteId]);
    expect(opened).toEqual([{ opened_at: new Date(formatInstant(test.clock.now())) }]);
  });
});
