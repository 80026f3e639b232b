import { money, plus } from '@provender/kernel';
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
  refundRequested,
  SITE,
  userRegistered,
} from './books.ts';

let test: BankTest;
beforeAll(async () => {
  test = await openBankTest();
});
afterAll(() => test.close());

/** What the bank has said about an order. */
async function saidOf(orderId: string) {
  return (await test.said())
    .filter((event) => event.subject === orderId)
    .map(({ type, key, data }) => ({ type, key, data }));
}

describe('a user registers', () => {
  it('given a registration, when it comes twice in a set and again, then one account is opened', async () => {
    const userId = ids.next();
    await test.hear([userRegistered(userId), userRegistered(userId)]);
    await test.hear([userRegistered(userId)]);
    expect(await accountOf(test, userId)).toEqual({ balance: 0, held: 0, lastEntry: 0 });
    const opened = (await test.said('bank.account-opened.v1')).filter((event) => event.subject === userId);
    expect(opened).toMatchObject([{ key: userId, data: { accountId: userId, userId, balance: euros(0) } }]);
  });
});

describe('an order asks for its money', () => {
  it('given money on the account, when it is asked for, then it is captured and said by site and order', async () => {
    const customerId = await customerWith(test, 1_000);
    const orderId = ids.next();
    const before = await balanceOfSite(test, 'sales');
    await test.hear([paymentRequested(test, { orderId, customerId })]);
    expect(await accountOf(test, customerId)).toMatchObject({ balance: 650 });
    expect(await balanceOfSite(test, 'sales')).toBe(before + 350);
    const data = { orderId, siteId: SITE, amount: euros(350), tender: 'account', accountId: customerId };
    expect(await saidOf(orderId)).toEqual([{ type: 'bank.payment-captured.v1', key: SITE, data }]);
    await expectBalancedBooks(test);
  });

  it('given money for two, when one set asks three times, then the first two are captured in their order', async () => {
    const customerId = await customerWith(test, 700);
    const orders = [ids.next(), ids.next(), ids.next()];
    await test.hear(orders.map((orderId) => paymentRequested(test, { orderId, customerId })));
    const said = (await Promise.all(orders.map(saidOf))).flat();
    expect(said.map((event) => event.type)).toEqual([
      'bank.payment-captured.v1',
      'bank.payment-captured.v1',
      'bank.payment-declined.v1',
    ]);
    expect(said[2]?.data).toEqual({ orderId: orders[2], siteId: SITE, reason: 'insufficient-funds' });
    expect(await accountOf(test, customerId)).toMatchObject({ balance: 0 });
    await expectBalancedBooks(test);
  });

  it('given cash and card, when they are asked for, then drawer and terminal hold the takings', async () => {
    const siteId = ids.next();
    await test.hear([
      paymentRequested(test, { siteId, tender: 'cash', amount: euros(250) }),
      paymentRequested(test, { siteId, tender: 'card', amount: euros(90) }),
    ]);
    expect(await balanceOfSite(test, 'cash', siteId)).toBe(-250);
    expect(await balanceOfSite(test, 'card', siteId)).toBe(-90);
    expect(await balanceOfSite(test, 'sales', siteId)).toBe(340);
  });

  it('given the last moment has passed, when money is asked for, then it is declined as too late', async () => {
    const customerId = await customerWith(test, 1_000);
    const orderId = ids.next();
    await test.hear([paymentRequested(test, { orderId, customerId, notAfter: plus(test.clock.now(), -1) })]);
    const data = { orderId, siteId: SITE, reason: 'too-late' };
    expect(await saidOf(orderId)).toEqual([{ type: 'bank.payment-declined.v1', key: SITE, data }]);
    expect(await accountOf(test, customerId)).toMatchObject({ balance: 1_000 });
  });

  it('given an account in euros, when dollars are asked for, then the payment is declined', async () => {
    const customerId = await customerWith(test, 1_000);
    const orderId = ids.next();
    await test.hear([paymentRequested(test, { orderId, customerId, amount: money(1, 'USD') })]);
    expect(await saidOf(orderId)).toMatchObject([{ data: { reason: 'currency-mismatch' } }]);
  });

  it.each([0, 350])(
    'given a customer whom nobody knows, when an order costs %i, then it is declined, and no account is opened',
    async (amount) => {
      const customerId = ids.next();
      const orderId = ids.next();
      await test.hear([paymentRequested(test, { orderId, customerId, amount: euros(amount) })]);
      expect(await saidOf(orderId)).toMatchObject([{ data: { reason: 'insufficient-funds' } }]);
      expect(await accountOf(test, customerId)).toBeUndefined();
      const opened = (await test.said('bank.account-opened.v1')).filter((event) => event.subject === customerId);
      expect(opened).toEqual([]);
    },
  );

  it('given an order without a customer, when its account is to pay, then the payment is declined', async () => {
    const orderId = ids.next();
    await test.hear([paymentRequested(test, { orderId })]);
    expect(await saidOf(orderId)).toMatchObject([{ data: { reason: 'insufficient-funds' } }]);
  });

  it('given hundreds of payments of many customers, when they come at once, then all books are right', async () => {
    const customers = await Promise.all([700, 1_750, 3_500, 35_000].map((amount) => customerWith(test, amount)));
    const asked = Array.from({ length: 450 }, (_, index) =>
      paymentRequested(test, { customerId: customers[index % 4] ?? '', siteId: index % 3 === 0 ? ids.next() : SITE }),
    );
    await test.hear(asked);
    const balances = await Promise.all(customers.map((id) => accountOf(test, id)));
    expect(balances.map((account) => account?.balance)).toEqual([0, 0, 0, 0]);
    await expectBalancedBooks(test);
  });
});

describe('an order is to be refunded', () => {
  it.each(['account', 'cash', 'card'] as const)(
    'given an order paid by %s, when refunds are requested thrice, then its money goes back once',
    async (tender) => {
      const customerId = await customerWith(test, 350);
      const orderId = ids.next();
      const before = { sales: await balanceOfSite(test, 'sales'), till: await balanceOfSite(test, tender) };
      await test.hear([paymentRequested(test, { orderId, customerId, tender })]);
      await test.hear([refundRequested(orderId), refundRequested(orderId)]);
      await test.hear([refundRequested(orderId)]);
      expect(await accountOf(test, customerId)).toMatchObject({ balance: 350 });
      expect({ sales: await balanceOfSite(test, 'sales'), till: await balanceOfSite(test, tender) }).toEqual(before);
      const payee = tender === 'account' ? { accountId: customerId } : {};
      const refunded = (await saidOf(orderId)).filter((event) => event.type === 'bank.payment-refunded.v1');
      expect(refunded).toEqual([
        { type: 'bank.payment-refunded.v1', key: SITE, data: { orderId, siteId: SITE, amount: euros(350), ...payee } },
      ]);
      await expectBalancedBooks(test);
    },
  );

  it('given payment and refund of an order in one set, when they come, then both take effect', async () => {
    const customerId = await customerWith(test, 350);
    const orderId = ids.next();
    await test.hear([paymentRequested(test, { orderId, customerId }), refundRequested(orderId)]);
    expect((await saidOf(orderId)).map((event) => event.type)).toEqual([
      'bank.payment-captured.v1',
      'bank.payment-refunded.v1',
    ]);
    expect(await accountOf(test, customerId)).toEqual({ balance: 350, held: 0, lastEntry: 3 });
  });

  it('given an order that was never captured, when a refund is requested, then nothing happens', async () => {
    const orderId = ids.next();
    await test.hear([refundRequested(orderId)]);
    expect(await saidOf(orderId)).toEqual([]);
  });
});
