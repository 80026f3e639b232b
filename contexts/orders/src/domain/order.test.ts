import { instant } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { type HistoryEntry, type Order, outcomeOf, unitsOf } from './order.ts';

const placed: HistoryEntry = { status: 'placed', at: '2026-11-21T08:00:00.000Z', by: 'anna' };
const waiting: HistoryEntry = { status: 'waiting', at: '2026-11-21T08:00:01.000Z' };
const price = { amount: 250, currency: 'EUR' };
const line = { productId: 'loaf', name: 'Loaf', discountPercent: 0, listPrice: price, unitPrice: price, total: price };

function order(changes: Partial<Order>): Order {
  return {
    id: 'order',
    siteId: 'site',
    customerId: 'anna',
    placedBy: 'anna',
    channel: 'shop',
    tender: 'account',
    receivedAmount: null,
    status: 'placed',
    reason: null,
    rejection: null,
    lines: [{ ...line, stock: 'unit', quantity: 2 }],
    totalAmount: 500,
    currency: 'EUR',
    note: null,
    placedAt: instant(Date.parse(placed.at)),
    history: [placed],
    ...changes,
  };
}

describe('outcomeOf', () => {
  test('given an order that is still placed, then there is no outcome yet', () => {
    expect(outcomeOf(order({}))).toBeUndefined();
  });

  test('given an order that was paid, then the outcome is the order as it was then', () => {
    const paid = order({ status: 'waiting', history: [placed, waiting] });
    expect(outcomeOf(paid)).toEqual({ kind: 'accepted', order: paid });
  });

  test('given an order that has been cancelled since, then the outcome is still the first one', () => {
    const cancelled: HistoryEntry = {
      status: 'cancelled',
      at: '2026-11-21T09:00:00.000Z',
      reason: 'cancelled-by-staff',
    };
    const moved = order({ status: 'cancelled', reason: 'cancelled-by-staff', history: [placed, waiting, cancelled] });
    expect(outcomeOf(moved)).toEqual({
      kind: 'accepted',
      order: order({ status: 'waiting', history: [placed, waiting] }),
    });
  });

  test('given an order whose hold was lost after it was paid, then the outcome is that it was paid', () => {
    const lost: HistoryEntry = { status: 'rejected', at: '2026-11-21T08:00:02.000Z', reason: 'hold-lost' };
    const moved = order({ status: 'rejected', reason: 'hold-lost', history: [placed, waiting, lost] });
    expect(outcomeOf(moved)).toMatchObject({ kind: 'accepted', order: { status: 'waiting', reason: null } });
  });

  test('given an order that was rejected, then the outcome tells why', () => {
    const rejection = { kind: 'payment-declined', cause: 'insufficient-funds' } as const;
    const rejected: HistoryEntry = { status: 'rejected', at: waiting.at, reason: 'payment-declined' };
    const moved = order({ status: 'rejected', reason: 'payment-declined', rejection, history: [placed, rejected] });
    expect(outcomeOf(moved)).toEqual({ kind: 'rejected', orderId: 'order', rejection });
  });

  test('given a rejection without a cause, then it is a bug', () => {
    const rejected: HistoryEntry = { status: 'rejected', at: waiting.at, reason: 'payment-declined' };
    expect(() => outcomeOf(order({ status: 'rejected', history: [placed, rejected] }))).toThrow('without a cause');
  });
});

describe('unitsOf', () => {
  test('given units and things made to order, then only the units count', () => {
    const coffee = { ...line, stock: 'made-to-order', quantity: 3 } as const;
    const loaf = { ...line, stock: 'unit', quantity: 2 } as const;
    expect(unitsOf([loaf, coffee, loaf])).toBe(4);
    expect(unitsOf([coffee])).toBe(0);
  });
});
