import { money } from '@provender/kernel';
import { describe, expect, it } from 'vitest';
import { decideRefunds } from './refund.ts';
import type { Capture } from './transaction.ts';

function capture(orderId: string, fromAccount: string): Capture {
  const amount = money(350, 'EUR');
  const accounts = { fromAccount, toAccount: 'sales' };
  return {
    id: `of ${orderId}`,
    kind: 'capture',
    orderId,
    siteId: 'site',
    tender: 'account',
    ...accounts,
    amount,
    holdId: 'h',
  };
}

const captures = [capture('one', 'ann'), capture('two', 'bob')];

describe('refunds', () => {
  it('given a captured order, when it is to be refunded, then its whole money goes back the way it came', () => {
    expect(decideRefunds(['one'], captures, new Set(), () => 'new')).toEqual([
      {
        id: 'new',
        kind: 'refund',
        orderId: 'one',
        siteId: 'site',
        tender: 'account',
        fromAccount: 'sales',
        toAccount: 'ann',
        amount: money(350, 'EUR'),
        holdId: null,
      },
    ]);
  });

  it('given an order that was never captured, or has its money back, when it is asked for, then nothing moves', () => {
    expect(decideRefunds(['none', 'one'], captures, new Set(['one']), () => 'new')).toEqual([]);
  });

  it('given one order asked for twice in a set, when it is decided, then its money goes back once', () => {
    const refunds = decideRefunds(['two', 'one', 'two'], captures, new Set(), () => 'new');
    expect(refunds.map((refund) => refund.orderId)).toEqual(['two', 'one']);
  });
});
