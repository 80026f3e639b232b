import { AMOUNT_MAX, QUANTITY_MAX } from '@provender/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decidePlacement, type Placement, type Product, type SellingSite } from './placement.ts';

const site: SellingSite = { id: 'site', currency: 'EUR', isOpen: true, isClosingTime: false };
const loaf: Product = {
  id: 'loaf',
  name: 'Rye loaf',
  priceAmount: 250,
  currency: 'EUR',
  stock: 'unit',
  closingDiscountPercent: 25,
  variations: [
    { variationId: 'large', name: 'Large', priceDelta: { amount: 150, currency: 'EUR' } },
    { variationId: 'crumbs', name: 'Crumbs', priceDelta: { amount: -900, currency: 'EUR' } },
    { variationId: 'foreign', name: 'Foreign', priceDelta: { amount: 1, currency: 'CHF' } },
  ],
};
const priceList = new Map([[loaf.id, loaf]]);

function wanted(changes: Partial<Placement> = {}): Placement {
  const lines = [{ productId: 'loaf', quantity: 2 }];
  return { siteId: 'site', channel: 'shop', tender: 'account', received: null, lines, ...changes };
}

describe('decidePlacement', () => {
  test('given a loaf at 2.50, when two are ordered, then names and prices are frozen', () => {
    expect(decidePlacement(wanted(), site, priceList)).toEqual({
      ok: true,
      value: {
        lines: [
          {
            productId: 'loaf',
            name: 'Rye loaf',
            stock: 'unit',
            quantity: 2,
            listPrice: { amount: 250, currency: 'EUR' },
            discountPercent: 0,
            unitPrice: { amount: 250, currency: 'EUR' },
            total: { amount: 500, currency: 'EUR' },
          },
        ],
        total: { amount: 500, currency: 'EUR' },
      },
    });
  });

  test('given the last half hour, when a loaf at 2.50 is ordered, then 25 % off is rounded down to 1.87 each', () => {
    const decided = decidePlacement(wanted(), { ...site, isClosingTime: true }, priceList);
    expect(decided.ok && decided.value.lines[0]).toMatchObject({
      discountPercent: 25,
      listPrice: { amount: 250 },
      unitPrice: { amount: 187 },
      total: { amount: 374 },
    });
  });

  test('given a variation, when it is ordered, then its name and its part of the price are in the line', () => {
    const lines = [{ productId: 'loaf', variationId: 'large', quantity: 1 }];
    const decided = decidePlacement(wanted({ lines }), site, priceList);
    expect(decided.ok && decided.value.lines[0]).toMatchObject({
      variationId: 'large',
      variationName: 'Large',
      unitPrice: { amount: 400 },
    });
  });

  test('given a variation that would cost less than nothing, when it is ordered, then it is free', () => {
    const lines = [{ productId: 'loaf', variationId: 'crumbs', quantity: 3 }];
    const decided = decidePlacement(wanted({ lines }), site, priceList);
    expect(decided.ok && decided.value.total.amount).toBe(0);
  });

  test('given the same product in two lines, when it is ordered, then both lines stand', () => {
    const lines = [
      { productId: 'loaf', quantity: 1 },
      { productId: 'loaf', quantity: 2 },
    ];
    const decided = decidePlacement(wanted({ lines }), site, priceList);
    expect(decided.ok && decided.value.lines.map((line) => line.quantity)).toEqual([1, 2]);
    expect(decided.ok && decided.value.total.amount).toBe(750);
  });

  test('given no such site, then it is refused before anything else', () => {
    const decided = decidePlacement(wanted({ lines: [] }), undefined, priceList);
    expect(decided).toEqual({ ok: false, refusal: { kind: 'site-unknown' } });
  });

  test('given a closed site, when a shop order comes, then it is refused, and a counter sale is not', () => {
    const closed = { ...site, isOpen: false };
    expect(decidePlacement(wanted(), closed, priceList)).toEqual({ ok: false, refusal: { kind: 'site-closed' } });
    expect(decidePlacement(wanted({ channel: 'counter', tender: 'card' }), closed, priceList).ok).toBe(true);
  });

  test.each([
    ['unknown', { productId: 'cake', quantity: 1 }, { productId: 'cake' }],
    [
      'of an unknown variation',
      { productId: 'loaf', variationId: 'x', quantity: 1 },
      { productId: 'loaf', variationId: 'x' },
    ],
    [
      'of a variation in another currency',
      { productId: 'loaf', variationId: 'foreign', quantity: 1 },
      { productId: 'loaf', variationId: 'foreign' },
    ],
  ])('given a product %s, when it is ordered, then it is refused by its id', (_, line, product) => {
    const decided = decidePlacement(wanted({ lines: [{ productId: 'loaf', quantity: 1 }, line] }), site, priceList);
    expect(decided).toEqual({ ok: false, refusal: { kind: 'product-unavailable', ...product } });
  });

  test('given a site with another currency, when a product is ordered there, then it is unavailable', () => {
    const decided = decidePlacement(wanted(), { ...site, currency: 'CHF' }, priceList);
    expect(decided).toEqual({ ok: false, refusal: { kind: 'product-unavailable', productId: 'loaf' } });
  });

  test('given less cash than the total, or another currency, then it is refused', () => {
    const cash = { channel: 'counter', tender: 'cash' } as const;
    const little = decidePlacement(wanted({ ...cash, received: { amount: 499, currency: 'EUR' } }), site, priceList);
    const total = { amount: 500, currency: 'EUR' };
    expect(little).toEqual({ ok: false, refusal: { kind: 'received-too-little', total } });
    const foreign = decidePlacement(wanted({ ...cash, received: { amount: 900, currency: 'CHF' } }), site, priceList);
    expect(foreign).toEqual({ ok: false, refusal: { kind: 'currency-mismatch', currency: 'EUR' } });
    expect(decidePlacement(wanted({ ...cash, received: total }), site, priceList).ok).toBe(true);
  });

  test('given a total beyond the largest amount, then it is refused', () => {
    const dear = new Map([['loaf', { ...loaf, priceAmount: AMOUNT_MAX }]]);
    expect(decidePlacement(wanted(), site, dear)).toEqual({ ok: false, refusal: { kind: 'total-too-large' } });
  });

  test('for any price list and lines, the total is the sum of its lines and no discount raises a price', () => {
    const product = fc.record({
      priceAmount: fc.integer({ min: 0, max: 10_000 }),
      closingDiscountPercent: fc.integer({ min: 0, max: 100 }),
      quantity: fc.integer({ min: 1, max: 50 }),
      isClosingTime: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(product, { minLength: 1, maxLength: 20 }), fc.boolean(), (products, isClosingTime) => {
        const ids = products.map((_, index) => `p${index}`);
        const list = new Map(products.map((each, index) => [`p${index}`, { ...loaf, ...each, id: `p${index}` }]));
        const lines = ids.map((productId, index) => ({ productId, quantity: products[index]?.quantity ?? 1 }));
        const decided = decidePlacement(wanted({ lines }), { ...site, isClosingTime }, list);
        if (!decided.ok) throw new Error('It was refused');
        const { value } = decided;
        expect(value.total.amount).toBe(value.lines.reduce((sum, line) => sum + line.total.amount, 0));
        for (const line of value.lines) {
          expect(line.unitPrice.amount).toBeLessThanOrEqual(line.listPrice.amount);
          expect(line.unitPrice.amount).toBeGreaterThanOrEqual(0);
          expect(line.total.amount).toBe(line.unitPrice.amount * line.quantity);
          if (!isClosingTime) expect(line.unitPrice).toEqual(line.listPrice);
        }
      }),
    );
  });

  test('for the dearest order that can be asked for, no amount leaves the whole numbers', () => {
    const dear = new Map([['loaf', { ...loaf, priceAmount: AMOUNT_MAX }]]);
    const lines = Array.from({ length: 100 }, () => ({
      productId: 'loaf',
      variationId: 'large',
      quantity: QUANTITY_MAX,
    }));
    const decided = decidePlacement(wanted({ lines }), site, dear);
    expect(decided).toEqual({ ok: false, refusal: { kind: 'total-too-large' } });
  });
});
