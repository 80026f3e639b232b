import { instant } from '@provender/kernel';
import { expect, test } from 'vitest';
import { costedGroup, groupsOf } from './unit.ts';

const bread = { productId: 'bread', batchId: 'b1', staleAt: instant(Date.parse('2026-11-21T08:00:00.000Z')) };
const bottle = { productId: 'bottle', batchId: 'b2', staleAt: null };

test('given units of two batches, when they are grouped, then each batch is told once with its count', () => {
  expect(groupsOf([bread, bottle, bread])).toEqual([
    { productId: 'bread', batchId: 'b1', staleAt: '2026-11-21T08:00:00.000Z', quantity: 2 },
    { productId: 'bottle', batchId: 'b2', staleAt: null, quantity: 1 },
  ]);
  expect(groupsOf([])).toEqual([]);
});

test('given a group with its cost, when it is said, then the cost is money', () => {
  expect(costedGroup({ ...bottle, quantity: 3, cost: 90, currency: 'EUR' })).toEqual({
    ...bottle,
    quantity: 3,
    cost: { amount: 90, currency: 'EUR' },
  });
});
