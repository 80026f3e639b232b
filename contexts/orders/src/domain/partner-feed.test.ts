import { describe, expect, test } from 'vitest';
import { FEED_ORDERS_MAX, PARTNER_ITEMS_MAX, PARTNER_ORDERS_MAX, planImport, readPartnerFeed } from './partner-feed.ts';

const flour = { sku: 'FLOUR-25', quantity: 2 };

function read(...orders: readonly unknown[]) {
  const feed = readPartnerFeed({ orders });
  if (!feed.ok) throw new Error(feed.refusal.detail);
  return feed.value;
}

describe('readPartnerFeed', () => {
  test('given orders of the agreed form, then all are read with their totals, and what we do not know is passed over', () => {
    const items = [flour, { sku: 'SUGAR', quantity: 3, unit: 'kg' }];
    expect(read({ number: '2', items, placed: 'today' })).toEqual({
      orders: [{ place: 0, number: '2', items: [flour, { sku: 'SUGAR', quantity: 3 }], totalQuantity: 5 }],
      broken: [],
    });
  });

  test('given an order that breaks a rule of ours, then it is read all the same: it is to fail, not to vanish', () => {
    const items = [
      { sku: 'A', quantity: -1 },
      { sku: 'A', quantity: 1.5 },
    ];
    expect(read({ number: '1', items }).orders).toMatchObject([{ totalQuantity: 0.5 }]);
    expect(read({ number: '1', items: [] }).orders).toMatchObject([{ totalQuantity: 0 }]);
  });

  test.for([
    ['null', null, 'is no object'],
    ['no number', { items: [flour] }, 'has no number'],
    ['a number that is one', { number: 2, items: [flour] }, 'has no number'],
    ['an empty number', { number: ' ', items: [flour] }, 'has no number'],
    ['a number of a novel', { number: 'x'.repeat(101), items: [flour] }, 'has no number'],
    ['no items', { number: '2' }, 'has no list of items'],
    ['an item that is text', { number: '2', items: ['FLOUR'] }, 'names no item in line 0'],
    ['an item with a NUL', { number: '2', items: [flour, { sku: '\u0000', quantity: 1 }] }, 'names no item in line 1'],
    [
      'a quantity as text',
      { number: '2', items: [{ sku: 'A', quantity: '2' }] },
      'has a quantity in line 0 that is no number, or absurd',
    ],
    [
      'more than there is in the world',
      { number: '2', items: [{ sku: 'A', quantity: 1e21 }] },
      'has a quantity in line 0 that is no number, or absurd',
    ],
    [
      'far too many items',
      { number: '2', items: Array.from({ length: PARTNER_ITEMS_MAX + 1 }, () => flour) },
      `has more than ${PARTNER_ITEMS_MAX} items`,
    ],
  ] as const)('given an order with %s, then it is reported and the good one beside it is read', ([, order, detail]) => {
    const feed = read(order, { number: 'good', items: [flour] });
    expect(feed.broken).toMatchObject([{ place: 0, kind: 'broken', detail }]);
    expect(feed.orders.map(({ number }) => number)).toEqual(['good']);
  });

  test('given a number twice, then alike orders count once, and different ones are both broken', () => {
    const alike = { number: '1', items: [flour] };
    const feed = read(alike, { number: '2', items: [flour] }, alike, { number: '2', items: [] });
    expect(feed.orders.map(({ number }) => number)).toEqual(['1']);
    expect(feed.broken.map(({ place, number }) => [place, number])).toEqual([
      [1, '2'],
      [3, '2'],
    ]);
  });

  test.for([
    ['null', null],
    ['a list', []],
    ['something else', { orders: {} }],
    ['more orders than anybody has', { orders: Array.from({ length: FEED_ORDERS_MAX + 1 }, () => null) }],
  ] as const)('given %s, then it is no feed', ([, document]) => {
    expect(readPartnerFeed(document)).toMatchObject({ ok: false, refusal: { kind: 'broken-feed' } });
  });
});

describe('planImport', () => {
  test('given orders that are here, then those alike are known, those that differ are reported, and new ones go in', () => {
    const { orders } = read(
      { number: '1', items: [flour] },
      { number: '2', items: [{ ...flour, quantity: 3 }] },
      { number: '3', items: [flour] },
    );
    const here = new Map([
      ['1', { items: [flour] }],
      ['2', { items: [flour] }],
    ]);
    const plan = planImport(orders, here, 2);
    expect(plan.fresh.map(({ number }) => number)).toEqual(['3']);
    expect(plan.known).toBe(1);
    expect(plan.changed).toMatchObject([{ place: 1, number: '2', kind: 'changed' }]);
    expect(plan.left).toEqual([]);
  });

  test('given room for one more, when two are new, then the first goes in and the other is told', () => {
    const { orders } = read({ number: '1', items: [flour] }, { number: '2', items: [flour] });
    const plan = planImport(orders, new Map(), PARTNER_ORDERS_MAX - 1);
    expect(plan.fresh.map(({ number }) => number)).toEqual(['1']);
    expect(plan.left).toMatchObject([{ place: 1, number: '2', kind: 'broken' }]);
  });
});
