import type { OrderPlaced } from '@provender/contracts';
import { type Instant, instant, MINUTE, plus, SECOND } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideHolds, demandOf, holdEnd, type Wish, wishOf } from './hold.ts';
import type { ShelfUnit } from './unit.ts';

const NOW = instant(1_000_000_000_000);
const END = plus(NOW, 2 * MINUTE);

type Aged = ShelfUnit & { readonly madeAt: Instant };

function unit(id: string, productId = 'donut', staleAt: Instant | null = null, siteId = 'shop'): ShelfUnit {
  return { id, siteId, productId, batchId: `batch of ${id}`, staleAt };
}

function wish(orderId: string, quantities: Record<string, number>, siteId = 'shop'): Wish {
  return { orderId, siteId, quantities: new Map(Object.entries(quantities)) };
}

/** What each order got: the ids of its units, or what was short. */
function outcomes(wishes: readonly Wish[], shelf: readonly ShelfUnit[]): unknown[] {
  return decideHolds(wishes, shelf, END).map(({ outcome }) =>
    outcome.ok ? outcome.value.map(({ id }) => id) : outcome.refusal.shortages,
  );
}

describe('decideHolds', () => {
  test('given two donuts, when three orders want one each, then the first two get them, oldest first', () => {
    const wishes = ['a', 'b', 'c'].map((order) => wish(order, { donut: 1 }));
    const short = [{ productId: 'donut', wanted: 1, available: 0 }];
    expect(outcomes(wishes, [unit('1'), unit('2')])).toEqual([['1'], ['2'], short]);
  });

  test('given too few of one product, when an order wants two, then it takes none and leaves them to the next', () => {
    const shelf = [unit('1'), unit('2', 'bread')];
    const greedy = wish('a', { donut: 1, bread: 2 });
    const short = [{ productId: 'bread', wanted: 2, available: 1 }];
    expect(outcomes([greedy, wish('b', { donut: 1, bread: 1 })], shelf)).toEqual([short, ['1', '2']]);
  });

  test('given a unit that is stale when the hold ends, when it is wanted, then it is passed over', () => {
    expect(outcomes([wish('a', { donut: 1 })], [unit('1', 'donut', END), unit('2', 'donut', plus(END, 1))])).toEqual([
      ['2'],
    ]);
  });

  test('given the goods of another site, when they are wanted here, then they are not there', () => {
    const short = [{ productId: 'donut', wanted: 1, available: 0 }];
    expect(outcomes([wish('a', { donut: 1 })], [unit('1', 'donut', null, 'elsewhere')])).toEqual([short]);
  });

  test('given an order that wants nothing of the shelf, when it is decided, then it is accepted', () => {
    expect(outcomes([wish('a', {})], [])).toEqual([[]]);
  });
});

const PRODUCTS = ['donut', 'bread', 'bun'];
const SITES = ['north', 'south'];

const shelves = fc
  .array(
    fc.record({
      siteId: fc.constantFrom(...SITES),
      productId: fc.constantFrom(...PRODUCTS),
      madeAt: fc.integer({ min: -90, max: 0 }).map((minutes) => plus(NOW, minutes * MINUTE)),
      staleIn: fc.option(fc.integer({ min: -2, max: 10 })),
    }),
    { maxLength: 40 },
  )
  .map((made): Aged[] =>
    made
      .map(({ staleIn, ...rest }, index) => ({
        ...rest,
        id: `unit ${index}`,
        batchId: `batch ${rest.productId} ${rest.madeAt} ${staleIn}`,
        staleAt: staleIn === null ? null : plus(NOW, staleIn * MINUTE),
      }))
      .sort((left, right) => left.madeAt - right.madeAt),
  );

const wishLists = fc.array(
  fc.record({
    siteId: fc.constantFrom(...SITES),
    quantities: fc.dictionary(fc.constantFrom(...PRODUCTS), fc.integer({ min: 1, max: 5 }), { maxKeys: 3 }),
  }),
  { maxLength: 20 },
);

describe('whatever is on the shelf and whoever wants it', () => {
  function decide(shelf: Aged[], wanted: { siteId: string; quantities: Record<string, number> }[]) {
    const wishes = wanted.map(({ siteId, quantities }, index) => wish(`order ${index}`, quantities, siteId));
    return { wishes, decisions: decideHolds(wishes, shelf, END) };
  }

  test('an order gets exactly what it wants of its own site, or nothing (all or none)', () => {
    fc.assert(
      fc.property(shelves, wishLists, (shelf, wanted) => {
        for (const { wish: wished, outcome } of decide(shelf, wanted).decisions) {
          if (!outcome.ok) continue;
          const got = new Map<string, number>();
          for (const { siteId, productId } of outcome.value) {
            expect(siteId).toBe(wished.siteId);
            got.set(productId, (got.get(productId) ?? 0) + 1);
          }
          expect(got).toEqual(wished.quantities);
        }
      }),
    );
  });

  test('no unit is given twice, and none that is stale before the hold ends (P1, P2)', () => {
    fc.assert(
      fc.property(shelves, wishLists, (shelf, wanted) => {
        const given = decide(shelf, wanted).decisions.flatMap(({ outcome }) => (outcome.ok ? outcome.value : []));
        expect(new Set(given.map(({ id }) => id)).size).toBe(given.length);
        for (const { staleAt } of given) expect(staleAt === null || staleAt > END).toBe(true);
      }),
    );
  });

  test('no older fresh unit is left while a younger one is given (P3)', () => {
    fc.assert(
      fc.property(shelves, wishLists, (shelf, wanted) => {
        const given = decide(shelf, wanted).decisions.flatMap(({ outcome }) => (outcome.ok ? outcome.value : []));
        const taken = new Set(given.map(({ id }) => id));
        for (const { id, siteId, productId } of given) {
          const place = shelf.findIndex((each) => each.id === id);
          const older = shelf.slice(0, place).filter((each) => each.siteId === siteId && each.productId === productId);
          const skipped = older.filter(({ id: olderId, staleAt }) => {
            return !taken.has(olderId) && (staleAt === null || staleAt > END);
          });
          expect(skipped).toEqual([]);
        }
      }),
    );
  });

  test('an order is refused only where something is really short, and is told how much there was', () => {
    fc.assert(
      fc.property(shelves, wishLists, (shelf, wanted) => {
        const taken = new Set<string>();
        for (const { wish: wished, outcome } of decide(shelf, wanted).decisions) {
          if (outcome.ok) {
            for (const { id } of outcome.value) taken.add(id);
            continue;
          }
          expect(outcome.refusal.shortages.length).toBeGreaterThan(0);
          for (const { productId, wanted: quantity, available } of outcome.refusal.shortages) {
            const free = shelf.filter(
              (each) =>
                each.siteId === wished.siteId &&
                each.productId === productId &&
                !taken.has(each.id) &&
                (each.staleAt === null || each.staleAt > END),
            );
            expect(available).toBe(free.length);
            expect(quantity).toBeGreaterThan(available);
          }
        }
      }),
    );
  });

  test('looking only as far as the set wants is enough: the decisions are the same', () => {
    fc.assert(
      fc.property(shelves, wishLists, (shelf, wanted) => {
        const { wishes, decisions } = decide(shelf, wanted);
        const picked = demandOf(wishes).flatMap(({ siteId, productId, quantity }) =>
          shelf
            .filter((each) => each.siteId === siteId && each.productId === productId)
            .filter(({ staleAt }) => staleAt === null || staleAt > END)
            .slice(0, quantity),
        );
        expect(decideHolds(wishes, picked, END)).toEqual(decisions);
      }),
    );
  });
});

describe('wishOf', () => {
  test('given lines of one product and something made to order, when they are read, then the units are wanted together', () => {
    const price = { amount: 1, currency: 'EUR' };
    const line = { name: 'x', listPrice: price, discountPercent: 0, unitPrice: price, total: price };
    const order: OrderPlaced = {
      orderId: 'order',
      siteId: 'shop',
      channel: 'counter',
      placedAt: '2026-11-21T08:00:00.000Z',
      tender: 'cash',
      lines: [
        { ...line, productId: 'donut', stock: 'unit', quantity: 2 },
        { ...line, productId: 'donut', variationId: 'glazed', stock: 'unit', quantity: 1 },
        { ...line, productId: 'coffee', stock: 'made-to-order', quantity: 4 },
      ],
      total: price,
    };
    expect(wishOf(order)).toEqual(wish('order', { donut: 3 }));
  });
});

describe('holdEnd', () => {
  test('given real time, when a hold begins, then it ends two minutes later', () => {
    expect(holdEnd(NOW, (business, wall) => Math.max(business, wall))).toBe(END);
  });

  test('given time that runs 60 times as fast, when a hold begins, then it lasts ten seconds of wall time', () => {
    expect(holdEnd(NOW, (business, wall) => Math.max(business, wall * 60))).toBe(plus(NOW, 600 * SECOND));
  });
});
