import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAllocations, type FreeStock, mostFreeFirst, type StockWish } from './warehouse-allocation.ts';

function free(warehouseId: string, sku: string, quantity: number): FreeStock {
  return { warehouseId, sku, free: quantity };
}

function wish(partnerOrderId: string, ...items: readonly (readonly [sku: string, quantity: number])[]): StockWish {
  return { partnerOrderId, attempt: 1, items: items.map(([sku, quantity]) => ({ sku, quantity })) };
}

describe('mostFreeFirst', () => {
  test('given warehouses with some of it, then the fullest comes first, and of two alike the one with the first id', () => {
    const order = mostFreeFirst([free('w3', 'A', 5), free('w2', 'A', 9), free('w1', 'A', 5)]);
    expect(order.map(({ warehouseId }) => warehouseId)).toEqual(['w2', 'w1', 'w3']);
  });
});

describe('decideAllocations', () => {
  test('given enough in one warehouse, when an order wants it, then it comes from there', () => {
    const [decision] = decideAllocations([wish('one', ['A', 4])], [free('w1', 'A', 3), free('w2', 'A', 8)]);
    expect(decision?.outcome).toEqual({ ok: true, value: [{ warehouseId: 'w2', sku: 'A', quantity: 4 }] });
  });

  test('given too little in each, when all together have it, then it comes from several, the fullest first', () => {
    const stock = [free('w1', 'A', 3), free('w2', 'A', 5), free('w3', 'A', 0)];
    const [decision] = decideAllocations([wish('one', ['A', 7])], stock);
    expect(decision?.outcome).toEqual({
      ok: true,
      value: [
        { warehouseId: 'w2', sku: 'A', quantity: 5 },
        { warehouseId: 'w1', sku: 'A', quantity: 2 },
      ],
    });
  });

  test('given one item that is short, when an order wants two, then it gets nothing, and the next order gets all', () => {
    const stock = [free('w1', 'A', 10), free('w1', 'B', 1)];
    const [first, second] = decideAllocations([wish('one', ['A', 10], ['B', 2]), wish('two', ['A', 10])], stock);
    expect(first?.outcome).toEqual({
      ok: false,
      refusal: { kind: 'insufficient-stock', shortages: [{ sku: 'B', wanted: 2, available: 1 }] },
    });
    expect(second?.outcome.ok).toBe(true);
  });

  test('given an item that no warehouse lists, when it is wanted, then that is said before what is short', () => {
    const [decision] = decideAllocations([wish('one', ['A', 2], ['?', 1])], [free('w1', 'A', 1)]);
    expect(decision?.outcome).toEqual({
      ok: false,
      refusal: {
        kind: 'unknown-item',
        shortages: [
          { sku: 'A', wanted: 2, available: 1 },
          { sku: '?', wanted: 1, available: 0 },
        ],
      },
    });
  });

  test('given any orders and any stock, then each gets exactly what it wants or nothing, and no warehouse gives more than it has', () => {
    const skus = fc.constantFrom('A', 'B', 'C');
    const stocks = fc.uniqueArray(
      fc.record({ warehouseId: fc.constantFrom('w1', 'w2', 'w3'), sku: skus, free: fc.nat(20) }),
      { selector: ({ warehouseId, sku }) => `${warehouseId} ${sku}` },
    );
    const items = fc.uniqueArray(fc.record({ sku: skus, quantity: fc.integer({ min: 1, max: 15 }) }), {
      selector: ({ sku }) => sku,
      minLength: 1,
    });
    const wishes = fc.array(items.map((wanted) => ({ partnerOrderId: 'x', attempt: 1, items: wanted })));
    fc.assert(
      fc.property(stocks, wishes, (stock, wanted) => {
        const left = new Map(stock.map((each) => [`${each.warehouseId} ${each.sku}`, each.free]));
        for (const { wish: of, outcome } of decideAllocations(wanted, stock)) {
          const freeOf = (sku: string) =>
            stock.reduce(
              (sum, each) => sum + (each.sku === sku ? (left.get(`${each.warehouseId} ${sku}`) ?? 0) : 0),
              0,
            );
          const hasAll = of.items.every(({ sku, quantity }) => freeOf(sku) >= quantity);
          expect(outcome.ok).toBe(hasAll);
          if (!outcome.ok) continue;
          for (const { sku, quantity } of of.items) {
            const given = outcome.value.filter((each) => each.sku === sku);
            expect(given.reduce((sum, each) => sum + each.quantity, 0)).toBe(quantity);
          }
          for (const { warehouseId, sku, quantity } of outcome.value) {
            const rest = (left.get(`${warehouseId} ${sku}`) ?? 0) - quantity;
            expect(rest).toBeGreaterThanOrEqual(0);
            left.set(`${warehouseId} ${sku}`, rest);
          }
        }
      }),
    );
  });
});
