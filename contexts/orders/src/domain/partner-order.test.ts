import { instant } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import {
  asDecided,
  currentDecision,
  decideLines,
  isOpen,
  type PartnerDecision,
  type PartnerOrder,
} from './partner-order.ts';

function refusalOf(...items: readonly (readonly [sku: string, quantity: number])[]) {
  const decided = decideLines(items.map(([sku, quantity]) => ({ sku, quantity })));
  return decided.ok ? undefined : decided.refusal.kind;
}

describe('decideLines', () => {
  test.for([
    [
      'whole positive quantities of different items',
      [
        ['A', 1],
        ['B', 1_000_000],
      ],
      undefined,
    ],
    ['no items', [], 'no-items'],
    ['none of an item', [['A', 0]], 'quantity-not-whole'],
    [
      'less than nothing',
      [
        ['A', 2],
        ['B', -1],
      ],
      'quantity-not-whole',
    ],
    ['half a piece', [['A', 1.5]], 'quantity-not-whole'],
    [
      'an item twice',
      [
        ['A', 1],
        ['B', 1],
        ['A', 2],
      ],
      'item-twice',
    ],
    [
      'both at once',
      [
        ['A', 0],
        ['A', 1],
      ],
      'quantity-not-whole',
    ],
  ] as const)('given %s, then it is %s', ([, items, refusal]) => {
    expect(refusalOf(...items)).toBe(refusal);
  });
});

describe('asDecided', () => {
  const failed: PartnerDecision = { attempt: 1, status: 'FAILED', at: 'then', reason: 'item-twice' };
  const processed: PartnerDecision = { attempt: 2, status: 'PROCESSED', at: 'later', allocations: [] };
  const order: PartnerOrder = {
    id: 'one',
    number: '1',
    items: [],
    totalQuantity: 0,
    importedAt: instant(0),
    status: 'NEW',
    attempt: 3,
    isAsked: true,
    runId: null,
    decisions: [failed, processed],
  };

  test('given an order that was reset since, when an earlier attempt is asked for, then it is told as it was decided', () => {
    const first = asDecided(order, 1);
    expect(first).toMatchObject({ status: 'FAILED', attempt: 1, isAsked: false });
    expect(first && currentDecision(first)).toBe(failed);
    expect(asDecided(order, 2)?.status).toBe('PROCESSED');
  });

  test('given an attempt that is still open, then there is nothing to tell', () => {
    expect(asDecided(order, 3)).toBeUndefined();
    expect(currentDecision(order)).toBeUndefined();
    expect([isOpen(order, 3), isOpen(order, 2), isOpen({ ...order, isAsked: false }, 3)]).toEqual([true, false, false]);
  });
});
