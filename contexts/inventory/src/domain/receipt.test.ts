import { instant, MINUTE, plus } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { decideReceipt, type KnownProduct, type ReceivedGoods } from './receipt.ts';
import type { KnownSite } from './shelf.ts';

const NOW = instant(Date.parse('2026-11-21T08:00:00.000Z'));
const site: KnownSite = {
  id: 'site',
  kind: 'shop',
  currency: 'EUR',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
};
const product: KnownProduct = {
  id: 'donut',
  sku: 'DONUT',
  stock: 'unit',
  shelfLifeMinutes: 25,
  unitCost: { amount: 80, currency: 'EUR' },
  withdrawn: false,
};

function refusalOf(goods: Partial<ReceivedGoods>, changes: Partial<KnownProduct> = {}) {
  const decided = decideReceipt({ quantity: 1, ...goods }, site, { ...product, ...changes }, NOW);
  return decided.ok ? undefined : decided.refusal.kind;
}

describe('decideReceipt', () => {
  test('given goods without moment and cost, when they are received, then they are of now, at the product cost', () => {
    expect(decideReceipt({ quantity: 3 }, site, product, NOW)).toEqual({
      ok: true,
      value: { quantity: 3, madeAt: NOW, staleAt: plus(NOW, 25 * MINUTE), unitCost: { amount: 80, currency: 'EUR' } },
    });
  });

  test('given goods with moment and cost, when they are received, then both are kept', () => {
    const goods = { quantity: 1, madeAt: '2026-11-21T08:50:00+01:00', unitCost: { amount: 0, currency: 'EUR' } };
    expect(decideReceipt(goods, site, { ...product, shelfLifeMinutes: null }, NOW)).toEqual({
      ok: true,
      value: { quantity: 1, madeAt: plus(NOW, -10 * MINUTE), staleAt: null, unitCost: { amount: 0, currency: 'EUR' } },
    });
  });

  test('given goods that are stale already, when they are received, then they come in, stale', () => {
    expect(decideReceipt({ quantity: 1, madeAt: '2026-11-21T07:00:00.000Z' }, site, product, NOW)).toMatchObject({
      value: { madeAt: plus(NOW, -60 * MINUTE), staleAt: plus(NOW, -35 * MINUTE) },
    });
  });

  test('given no such site or product, when goods are received, then they are refused', () => {
    expect(decideReceipt({ quantity: 1 }, undefined, product, NOW)).toMatchObject({
      refusal: { kind: 'unknown-site' },
    });
    expect(decideReceipt({ quantity: 1 }, site, undefined, NOW)).toMatchObject({
      refusal: { kind: 'unknown-product' },
    });
  });

  test.each([
    ['unknown-product', {}, { withdrawn: true }],
    ['not-kept-as-units', {}, { stock: 'made-to-order' }],
    ['other-currency', { unitCost: { amount: 1, currency: 'USD' } }, {}],
    ['no-moment', { madeAt: 'noon' }, {}],
    ['no-moment', { madeAt: '1999-12-31T23:59:59Z' }, { shelfLifeMinutes: null }],
    ['made-in-the-future', { madeAt: '2026-11-21T08:00:00.001Z' }, {}],
  ] as const)('refuses as %s', (kind, goods, changes) => {
    expect(refusalOf(goods, changes)).toBe(kind);
  });
});
