import type { ProductDraft } from '@provender/contracts';
import { money } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Product, productDefined, productFrom, productView, productWithdrawn, revisedProduct } from './product.ts';
import { withoutVariation, withRevisedVariation, withVariation } from './variation.ts';

const euro = (amount: number) => money(amount, 'EUR');

const draft: ProductDraft = {
  sku: 'BREAD-1',
  name: 'Country bread',
  category: 'Bread',
  price: euro(450),
  unitCost: euro(120),
  stock: 'unit',
  shelfLife: 'PT10H',
};

function made(change: Partial<ProductDraft> = {}): Product {
  const variationIds = (change.variations ?? []).map((_, index) => `variation-${index}`);
  const product = productFrom('product-1', { ...draft, ...change }, variationIds);
  if (!product.ok) throw new Error(JSON.stringify(product.refusal));
  return product.value;
}

type Refusable = { readonly ok: true } | { readonly ok: false; readonly refusal: object };

function pointersOf(result: Refusable): string[] {
  if (result.ok || !('faults' in result.refusal)) return [];
  return (result.refusal.faults as { pointer: string }[]).map(({ pointer }) => pointer);
}

describe('a product', () => {
  test('given the least that a draft must say, when taken in, then the rest is nothing, no and zero', () => {
    const { sku, name, category, price } = draft;
    const coffee = productFrom('product-1', { sku, name, category, price, stock: 'made-to-order' }, []);
    expect(coffee).toEqual({
      ok: true,
      value: {
        ...{ id: 'product-1', sku, name, category, description: null, price, unitCost: null, stock: 'made-to-order' },
        ...{ shelfLife: null, keepsOvernight: false, closingDiscountPercent: 0, variations: [] },
      },
    });
  });

  test('given a shelf life, when taken in, then it is shown as it was written and said in minutes', () => {
    const product = made({ shelfLife: 'P1DT30M' });
    expect(productView(product, true).shelfLife).toBe('P1DT30M');
    expect(productDefined(product).data).toMatchObject({ shelfLifeMinutes: 24 * 60 + 30 });
  });

  test.each([
    [{ shelfLife: 'PT0S' }, '/shelfLife'],
    [{ shelfLife: 'PT90S' }, '/shelfLife'],
    [{ shelfLife: 'P3651D' }, '/shelfLife'],
    [{ shelfLife: 'P999999999D' }, '/shelfLife'],
    [{ stock: 'made-to-order' }, '/shelfLife'],
    [{ unitCost: money(120, 'USD') }, '/unitCost/currency'],
    [{ price: money(450, 'QQQ'), unitCost: money(1, 'QQQ') }, '/price/currency'],
  ] as const)('given %j, when taken in or changed, then it is refused at %s', (change, pointer) => {
    expect(pointersOf(productFrom('product-1', { ...draft, ...change }, []))).toEqual([pointer]);
    expect(pointersOf(revisedProduct(made(), change))).toEqual([pointer]);
  });

  test('given variations, when taken in, then each has its id; one below zero or of other money is refused', () => {
    const variations = [
      { name: 'Half', priceDelta: euro(-200) },
      { name: 'Sliced', priceDelta: euro(20) },
    ];
    expect(made({ variations }).variations).toEqual([
      { id: 'variation-0', ...variations[0] },
      { id: 'variation-1', ...variations[1] },
    ]);
    const bad = [...variations, { name: 'Gift', priceDelta: euro(-451) }, { name: 'US', priceDelta: money(0, 'USD') }];
    expect(pointersOf(productFrom('product-1', { ...draft, variations: bad }, ['a', 'b', 'c', 'd']))).toEqual([
      ...['/variations/2/priceDelta/amount', '/variations/3/priceDelta/currency'],
    ]);
  });

  test('given a patch, when changed, then only what is named changes and null clears', () => {
    const product = made({ description: 'Rye and wheat', keepsOvernight: true });
    const patch = { description: null, unitCost: null, shelfLife: null, keepsOvernight: null, name: 'Bread' };
    expect(revisedProduct(product, patch)).toEqual({
      ok: true,
      value: {
        ...product,
        ...{ description: null, unitCost: null, shelfLife: null, keepsOvernight: false, name: 'Bread' },
      },
    });
    expect(revisedProduct(product, {})).toEqual({ ok: true, value: product });
  });

  test('given a shelf life, when made to order from now on, then it must be cleared in the same breath', () => {
    expect(pointersOf(revisedProduct(made(), { stock: 'made-to-order' }))).toEqual(['/shelfLife']);
    expect(revisedProduct(made(), { stock: 'made-to-order', shelfLife: null }).ok).toBe(true);
  });

  test('given a cheaper variation, when the price falls below its difference, then the price is refused', () => {
    const product = made({ variations: [{ name: 'Half', priceDelta: euro(-200) }] });
    expect(revisedProduct(product, { price: euro(200) }).ok).toBe(true);
    expect(pointersOf(revisedProduct(product, { price: euro(199) }))).toEqual(['/price/amount']);
    const dollars = { price: money(300, 'USD'), unitCost: money(1, 'USD') };
    expect(pointersOf(revisedProduct(product, dollars))).toEqual(['/price/currency']);
  });

  test('given a caller who does not work here, when shown, then the cost is not', () => {
    expect(productView(made(), false)).not.toHaveProperty('unitCost');
    expect(productView(made(), true).unitCost).toEqual(euro(120));
  });

  test('given a product, when said, then all of it is, with a cost of zero where nobody named one', () => {
    const variations = [{ name: 'Half', priceDelta: euro(-200) }];
    const { unitCost: _, ...withoutCost } = draft;
    const free = productFrom('product-1', { ...withoutCost, variations }, ['v']);
    expect(free.ok && productDefined(free.value)).toEqual({
      ...{ type: 'catalog.product-defined.v1', key: 'product-1', subject: 'product-1' },
      data: {
        ...{ productId: 'product-1', sku: 'BREAD-1', name: 'Country bread', category: 'Bread', price: euro(450) },
        ...{
          unitCost: euro(0),
          stock: 'unit',
          shelfLifeMinutes: 600,
          keepsOvernight: false,
          closingDiscountPercent: 0,
        },
        variations: [{ variationId: 'v', name: 'Half', priceDelta: euro(-200) }],
      },
    });
    expect(productWithdrawn('product-1').data).toEqual({ productId: 'product-1' });
  });
});

describe('variations', () => {
  const oat = { name: 'Oat', priceDelta: euro(40) };

  test('given a product, when a variation is added, changed and taken off, then the others stay', () => {
    const added = withVariation(made({ variations: [oat] }), 'v', { name: 'Small', priceDelta: euro(-50) });
    expect(added.ok && added.value.variations.map(({ name }) => name)).toEqual(['Oat', 'Small']);
    const changed = added.ok && withRevisedVariation(added.value, 'v', { name: 'Tiny' });
    expect(changed && changed.ok && changed.value.variations[1]).toEqual({
      ...{ id: 'v', name: 'Tiny', priceDelta: euro(-50) },
    });
    const gone = added.ok && withoutVariation(added.value, 'v');
    expect(gone && gone.ok && gone.value.variations.map(({ name }) => name)).toEqual(['Oat']);
  });

  test('given a difference below the price or in other money, when added or changed, then it is refused', () => {
    expect(pointersOf(withVariation(made(), 'v', { ...oat, priceDelta: euro(-451) }))).toEqual(['/priceDelta/amount']);
    expect(withVariation(made(), 'v', { ...oat, priceDelta: euro(-450) }).ok).toBe(true);
    const product = made({ variations: [oat] });
    const patch = { priceDelta: money(1, 'USD') };
    expect(pointersOf(withRevisedVariation(product, 'variation-0', patch))).toEqual(['/priceDelta/currency']);
  });

  test('given a variation that the product does not have, when changed or taken off, then it is unknown', () => {
    const refusal = { ok: false, refusal: { kind: 'unknown-variation' } };
    expect(withRevisedVariation(made(), 'v', { name: 'A' })).toEqual(refusal);
    expect(withoutVariation(made(), 'v')).toEqual(refusal);
  });

  test('given as many as there may be, when one more is added, then it is refused', () => {
    const full = made({ variations: Array.from({ length: 50 }, () => oat) });
    expect(withVariation(full, 'v', oat)).toEqual({ ok: false, refusal: { kind: 'too-many-variations' } });
  });

  test('given any changes, when they are accepted, then no variation ever costs less than nothing', () => {
    const amount = fc.integer({ min: -1_000, max: 1_000 });
    const step = fc.record({ price: fc.nat(1_000), delta: amount, target: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let product = made();
        for (const [index, { price, delta, target }] of steps.entries()) {
          const changes = [
            withVariation(product, `v${index}`, { name: 'V', priceDelta: euro(delta) }),
            revisedProduct(product, { price: euro(price) }),
            withRevisedVariation(product, `v${index - 1}`, { priceDelta: euro(delta) }),
            withoutVariation(product, `v${index - 2}`),
          ];
          const change = changes[target];
          if (change?.ok) product = change.value;
          for (const variation of product.variations) {
            expect(product.price.amount + variation.priceDelta.amount).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });
});
