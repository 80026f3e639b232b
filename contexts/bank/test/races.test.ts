import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accountOf,
  balanceOfSite,
  type BankTest,
  customerWith,
  euros,
  expectBalancedBooks,
  ids,
  openBankTest,
  paymentRequested,
} from './books.ts';

let test: BankTest;
beforeAll(async () => {
  test = await openBankTest();
});
afterAll(() => test.close());

describe('at the same time', () => {
  it('given an account that is not open, when 50 deposits come at once, then it has them all', async () => {
    const ann = ids.next();
    const deposits = await Promise.all(Array.from({ length: 50 }, () => test.running.open.deposit(ann, euros(7))));
    expect(deposits.every((deposit) => deposit.ok)).toBe(true);
    expect(await accountOf(test, ann)).toEqual({ balance: 350, held: 0, lastEntry: 50 });
    const opened = (await test.said('bank.account-opened.v1')).filter((event) => event.subject === ann);
    expect(opened).toHaveLength(1);
    await expectBalancedBooks(test);
  });

  it('given an account, when its first money is paid in again, then it is there once', async () => {
    const ann = ids.next();
    const first = await test.running.open.depositFirst(ann, euros(7));
    const again = await test.running.open.depositFirst(ann, euros(7));
    expect([first.ok && first.value?.balance, again]).toEqual([euros(7), { ok: true, value: undefined }]);
    expect(await accountOf(test, ann)).toEqual({ balance: 7, held: 0, lastEntry: 1 });
  });

  it('given 50 deposits, when captures come at once, then no cent is lost and no floor broken', async () => {
    const siteId = ids.next();
    const ann = await customerWith(test, 100);
    const [, ...paidIn] = await Promise.all([
      test.hear(
        Array.from({ length: 120 }, () => paymentRequested(test, { customerId: ann, siteId, amount: euros(50) })),
      ),
      ...Array.from({ length: 50 }, () => test.running.open.deposit(ann, euros(50))),
    ]);
    expect(paidIn.every((deposit) => deposit.ok)).toBe(true);
    const account = await accountOf(test, ann);
    expect((account?.balance ?? 0) + (await balanceOfSite(test, 'sales', siteId))).toBe(100 + 50 * 50);
    const decided = (await test.said('bank.payment-captured.v1', 'bank.payment-declined.v1')).filter(
      (event) => event.key === siteId,
    );
    expect(decided).toHaveLength(120);
    await expectBalancedBooks(test);
  });

  it('given many customers, when deposits and captures of all cross, then nothing deadlocks in the open', async () => {
    const customers = Array.from({ length: 12 }, () => ids.next());
    const siteId = ids.next();
    const rounds = Array.from({ length: 10 }, (_, round) =>
      Promise.all([
        test.hear(customers.map((customerId) => paymentRequested(test, { customerId, siteId, amount: euros(round) }))),
        ...customers.map((customerId) => test.running.open.deposit(customerId, euros(10))),
      ]),
    );
    await Promise.all(rounds);
    const accounts = await Promise.all(customers.map((id) => accountOf(test, id)));
    const left = accounts.reduce((sum, account) => sum + (account?.balance ?? 0), 0);
    expect(left + (await balanceOfSite(test, 'sales', siteId))).toBe(12 * 10 * 10);
    await expectBalancedBooks(test);
  });
});
