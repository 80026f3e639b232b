import { instant, MINUTE, money, plus } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Account, accountBook } from './account.ts';
import { accountsOf, capturesOf, decidePayments, type Payment } from './payment.ts';

const NOW = instant(Date.parse('2026-11-21T08:00:00.000Z'));
const SITE = 'site';

const tills: Account[] = (['sales', 'cash', 'card'] as const).flatMap((kind) =>
  ['EUR', 'USD'].map((currency) => ({
    id: `${kind} ${currency}`,
    kind,
    siteId: SITE,
    currency,
    balance: 0,
    held: 0,
    floor: null,
  })),
);

function customer(id: string, balance: number, held = 0): Account {
  return { id, kind: 'customer', siteId: null, currency: 'EUR', balance, held, floor: 0 };
}

let orders = 0;
function payment(change: Partial<Payment> = {}): Payment {
  orders += 1;
  const base = { orderId: `order ${orders}`, siteId: SITE, amount: money(350, 'EUR'), tender: 'account' as const };
  return { ...base, customerId: 'ann', notAfter: plus(NOW, MINUTE), ...change };
}

function outcomes(payments: readonly Payment[], accounts: readonly Account[], now = NOW) {
  const book = accountBook([...tills, ...accounts]);
  return decidePayments(payments, book, now).map((each) => (each.outcome === 'captured' ? 'captured' : each.reason));
}

describe('payments', () => {
  it('given enough money, when a payment is asked for, then it is captured from the account to the takings', () => {
    const [decision] = decidePayments([payment()], accountBook([...tills, customer('ann', 350)]), NOW);
    expect(decision).toMatchObject({ outcome: 'captured', fromAccount: 'ann', toAccount: 'sales EUR' });
  });

  it('given money for two of three, when all come in one set, then the first two are captured', () => {
    const asked = [payment(), payment(), payment()];
    expect(outcomes(asked, [customer('ann', 700)])).toEqual(['captured', 'captured', 'insufficient-funds']);
  });

  it('given a payment too dear, when a cheaper one follows it, then the cheaper one is captured', () => {
    const asked = [payment({ amount: money(701, 'EUR') }), payment()];
    expect(outcomes(asked, [customer('ann', 700)])).toEqual(['insufficient-funds', 'captured']);
  });

  it('given held money, when a payment needs it, then it is declined', () => {
    expect(outcomes([payment()], [customer('ann', 400, 51)])).toEqual(['insufficient-funds']);
    expect(outcomes([payment()], [customer('ann', 400, 50)])).toEqual(['captured']);
  });

  it('given the last moment has passed, when a payment is asked for, then it is too late for every tender', () => {
    const notAfter = NOW;
    const asked = (['account', 'cash', 'card'] as const).map((tender) => payment({ tender, notAfter }));
    expect(outcomes(asked, [customer('ann', 9_000)])).toEqual(['captured', 'captured', 'captured']);
    expect(outcomes(asked, [customer('ann', 9_000)], plus(NOW, 1))).toEqual(['too-late', 'too-late', 'too-late']);
  });

  it('given an account in euros, when dollars are asked for, then even none are given', () => {
    const asked = [payment({ amount: money(1, 'USD') }), payment({ amount: money(0, 'USD') })];
    expect(outcomes(asked, [customer('ann', 9_000)])).toEqual(['currency-mismatch', 'currency-mismatch']);
  });

  it('given an empty account, when an order costs nothing, then it is captured', () => {
    expect(outcomes([payment({ amount: money(0, 'EUR') })], [customer('ann', 0)])).toEqual(['captured']);
  });

  it('given nobody to pay, when the account is to pay, then the payment is declined', () => {
    expect(outcomes([payment({ customerId: undefined }), payment()], [])).toEqual([
      'insufficient-funds',
      'insufficient-funds',
    ]);
  });

  it('given cash and card, when a payment is asked for, then drawer or terminal pay, in its currency', () => {
    const asked = [payment({ tender: 'cash' }), payment({ tender: 'card', amount: money(5, 'USD') })];
    expect(decidePayments(asked, accountBook(tills), NOW)).toMatchObject([
      { fromAccount: 'cash EUR', toAccount: 'sales EUR' },
      { fromAccount: 'card USD', toAccount: 'sales USD' },
    ]);
  });

  it('given a set, when its accounts are named, then each customer who pays and each till is named once', () => {
    const asked = [payment(), payment(), payment({ tender: 'cash', customerId: 'bob' })];
    expect(accountsOf(asked)).toEqual({ customerIds: ['ann'], tills: [{ siteId: SITE, currency: 'EUR' }] });
  });

  it('given a site whose accounts were not read, when a payment is decided, then that is a bug and throws', () => {
    expect(() => decidePayments([payment()], accountBook([customer('ann', 400)]), NOW)).toThrow(/not in the book/);
  });
});

const askedPayments = fc.array(
  fc.record({
    customerId: fc.constantFrom('ann', 'bob'),
    tender: fc.constantFrom('account' as const, 'account' as const, 'cash' as const, 'card' as const),
    amount: fc.integer({ min: 0, max: 500 }).map((amount) => money(amount, 'EUR')),
    notAfter: fc.constantFrom(NOW, plus(NOW, -1)),
  }),
  { maxLength: 40 },
);
const figures = fc.record({
  balance: fc.integer({ min: 0, max: 3_000 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('any set of payments', () => {
  it('keeps every account at its floor or above, and takes nothing that was held', () => {
    fc.assert(
      fc.property(askedPayments, figures, figures, (asked, ann, bob) => {
        const accounts = [
          customer('ann', ann.balance, Math.floor(ann.balance * ann.part)),
          customer('bob', bob.balance, Math.floor(bob.balance * bob.part)),
        ];
        const decisions = decidePayments(asked.map(payment), accountBook([...tills, ...accounts]), NOW);
        const captures = capturesOf(decisions, () => 'id');
        for (const account of accounts) {
          const paid = captures.filter((capture) => capture.fromAccount === account.id);
          const spent = paid.reduce((sum, capture) => sum + capture.amount.amount, 0);
          expect(account.balance - account.held - spent).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('gives each payment one decision in its order, and the same whether in one set or one by one', () => {
    fc.assert(
      fc.property(askedPayments, fc.integer({ min: 0, max: 3_000 }), (asked, balance) => {
        const payments = asked.map((change) => payment({ ...change, customerId: 'ann' }));
        const together = decidePayments(payments, accountBook([...tills, customer('ann', balance)]), NOW);
        expect(together.map((decision) => decision.payment)).toEqual(payments);
        let left = balance;
        const oneByOne = payments.map((each) => {
          const [decision] = decidePayments([each], accountBook([...tills, customer('ann', left)]), NOW);
          if (decision?.outcome === 'captured' && each.tender === 'account') left -= each.amount.amount;
          return decision;
        });
        expect(together).toEqual(oneByOne);
      }),
    );
  });

  it('moves money from one account to another and makes none', () => {
    fc.assert(
      fc.property(askedPayments, (asked) => {
        const book = accountBook([...tills, customer('ann', 2_000), customer('bob', 0)]);
        const balances = new Map<string, number>();
        for (const { fromAccount, toAccount, amount } of capturesOf(
          decidePayments(asked.map(payment), book, NOW),
          () => 'id',
        )) {
          expect(fromAccount).not.toBe(toAccount);
          balances.set(fromAccount, (balances.get(fromAccount) ?? 0) - amount.amount);
          balances.set(toAccount, (balances.get(toAccount) ?? 0) + amount.amount);
        }
        expect([...balances.values()].reduce((sum, each) => sum + each, 0)).toBe(0);
      }),
    );
  });
});
