import type { OrderLine } from '@provender/contracts';
import { instant, MINUTE, SECOND } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeOf, isHandedOver, paymentDeadline, statusOncePaid } from './payment.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

function line(stock: OrderLine['stock']): OrderLine {
  const price = eur(100);
  return {
    productId: 'p',
    name: 'P',
    stock,
    quantity: 1,
    listPrice: price,
    discountPercent: 0,
    unitPrice: price,
    total: price,
  };
}

describe('paymentDeadline', () => {
  test('given a hold of two minutes, then money may be taken for a minute and a half', () => {
    const heldAt = instant(1_000_000);
    expect(paymentDeadline(heldAt, instant(heldAt + 2 * MINUTE))).toBe(heldAt + 90 * SECOND);
  });

  test('for any hold, the deadline lies within it, a quarter before its end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 10_000_000 }), (length) => {
        const heldAt = instant(1_700_000_000_000);
        const deadline = paymentDeadline(heldAt, instant(heldAt + length));
        expect(deadline).toBeGreaterThan(heldAt);
        expect(deadline).toBeLessThan(heldAt + length);
      }),
    );
  });

  test('given a hold that had ended before it was heard of, then the deadline is its end', () => {
    expect(paymentDeadline(instant(2_000), instant(1_000))).toBe(1_000);
  });
});

describe('isHandedOver', () => {
  test.each([
    ['counter', ['unit', 'unit'], true, 'delivered'],
    ['counter', ['unit', 'made-to-order'], false, 'waiting'],
    ['counter', ['made-to-order'], false, 'waiting'],
    ['shop', ['unit'], false, 'waiting'],
    ['shop', ['made-to-order'], false, 'waiting'],
  ] as const)(
    'given a sale by %s of %j, when it is paid, then handed over is %s and it is %s',
    (channel, stocks, handedOver, status) => {
      expect(isHandedOver(channel, stocks.map(line))).toBe(handedOver);
      expect(statusOncePaid(handedOver)).toBe(status);
    },
  );
});

describe('changeOf', () => {
  test('given ten for eight and a half, then one and a half goes back', () => {
    expect(changeOf(1_000, eur(850))).toEqual(eur(150));
    expect(changeOf(850, eur(850))).toEqual(eur(0));
  });

  test('given less than the total, then it is a bug', () => {
    expect(() => changeOf(849, eur(850))).toThrow('Less was received');
  });

  test('for any total and any more than it, change and total are what was received', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (total, more) => {
        expect(changeOf(total + more, eur(total)).amount + total).toBe(total + more);
      }),
    );
  });
});
