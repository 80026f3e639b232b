import { isClosingDiscountTime, isOpen } from '@provender/contracts';
import { HOUR, type Instant, instant, MINUTE, money, parseInstant, plus, SECOND } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { menuOf, menuValidUntil, type Offer } from './menu.ts';
import { shelfChangeOfMade, shelfChangesOfReturned, shelfChangesOfTaken } from './shelf.ts';

function at(text: string): Instant {
  const moment = parseInstant(text);
  if (moment === undefined) throw new Error(`Not an instant: ${text}`);
  return moment;
}

const site = { id: 'site-1', timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };
const NOON = at('2026-11-21T11:00:00Z');
const CLOSING_SOON = at('2026-11-21T16:30:00Z');

const bread: Offer = {
  id: 'bread',
  name: 'Country bread',
  category: 'Bread',
  description: null,
  price: money(250, 'EUR'),
  stock: 'unit',
  closingDiscountPercent: 25,
  variations: [{ id: 'half', name: 'Half', priceDelta: money(-99, 'EUR') }],
  fresh: 3,
};
const coffee: Offer = { ...bread, id: 'coffee', stock: 'made-to-order', fresh: 0, closingDiscountPercent: 0 };

describe('the menu', () => {
  test('given noon, when read, then the list price counts and made to order is always to be had', () => {
    const menu = menuOf(site, [bread, coffee], NOON);
    expect(menu).toMatchObject({ siteId: 'site-1', at: '2026-11-21T11:00:00.000Z', open: true });
    expect(menu.items[0]).toEqual({
      ...{ productId: 'bread', name: 'Country bread', category: 'Bread' },
      ...{ listPrice: money(250, 'EUR'), price: money(250, 'EUR'), discountPercent: 0, available: 3 },
      variations: [{ ...bread.variations[0], price: money(151, 'EUR') }],
    });
    expect(menu.items[1]).toMatchObject({ productId: 'coffee', available: null });
  });

  test('given half an hour to closing, when read, then each product has its own discount, halves for the buyer', () => {
    const menu = menuOf(site, [bread, coffee], CLOSING_SOON);
    expect(menu.items[0]).toMatchObject({
      discountPercent: 25,
      price: money(187, 'EUR'),
      listPrice: money(250, 'EUR'),
    });
    expect(menu.items[0]?.variations[0]?.price).toEqual(money(113, 'EUR'));
    expect(menu.items[1]).toMatchObject({ discountPercent: 0, price: money(250, 'EUR') });
    expect(menuOf(site, [bread], plus(CLOSING_SOON, -1)).items[0]?.discountPercent).toBe(0);
  });

  test('given a site that is closed, when read, then it says so and discounts nothing', () => {
    const menu = menuOf(site, [bread], at('2026-11-21T17:00:00Z'));
    expect(menu.open).toBe(false);
    expect(menu.items[0]?.discountPercent).toBe(0);
  });

  test('given more taken than was heard of being made, when read, then nothing is there, never less', () => {
    expect(menuOf(site, [{ ...bread, fresh: -2 }], NOON).items[0]?.available).toBe(0);
  });
});

describe('how long a menu may be shown', () => {
  const limits = { keptFor: SECOND, holdTime: 2 * MINUTE };

  test('given nothing that changes soon, then as long as menus are kept', () => {
    expect(menuValidUntil(site, null, NOON, limits)).toBe(plus(NOON, SECOND));
  });

  test('given a unit that soon does not outlast a hold, then until then', () => {
    const staleAt = plus(NOON, 2 * MINUTE + 300);
    expect(menuValidUntil(site, staleAt, NOON, limits)).toBe(plus(NOON, 300));
  });

  test('given the discount, the closing or the opening is about to begin, then until then', () => {
    for (const turn of ['2026-11-21T16:30:00Z', '2026-11-21T17:00:00Z', '2026-11-21T06:00:00Z'].map(at)) {
      expect(menuValidUntil(site, null, plus(turn, -400), limits)).toBe(turn);
      expect(menuValidUntil(site, null, turn, limits)).toBe(plus(turn, SECOND));
    }
  });

  test('given any hours and moment, then nothing that the menu says of time changes before', () => {
    const clock = (minutes: number) =>
      `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
    const anyHours = fc
      .tuple(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 1, max: 1_440 }))
      .map(([opens, open]) => ({ opensAt: clock(opens), closesAt: clock(Math.min(1_440, opens + open)) }));
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo');
    const start = at('2026-03-27T00:00:00Z');
    fc.assert(
      fc.property(
        anyHours,
        zone,
        fc.integer({ min: 0, max: 30 * 24 * HOUR }),
        fc.integer({ min: 0, max: 999 }),
        (...[hours, timeZone, offset, share]) => {
          const place = { ...hours, timeZone };
          const now = plus(start, offset);
          const until = menuValidUntil(place, null, now, { keptFor: 6 * HOUR, holdTime: 0 });
          expect(until).toBeGreaterThan(now);
          const later = instant(now + Math.floor(((until - now) * share) / 1_000));
          expect(isOpen(place, later)).toBe(isOpen(place, now));
          expect(isClosingDiscountTime(place, later)).toBe(isClosingDiscountTime(place, now));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what shelves show', () => {
  const units = [{ productId: 'p', batchId: 'b', staleAt: '2026-11-21T12:00:00.000Z', quantity: 4 }];
  const bucket = { siteId: 's', productId: 'p', batchId: 'b', staleAt: '2026-11-21T12:00:00.000Z' };

  test('given units made, taken and put back, then they count up, down and up', () => {
    const made = {
      ...{ siteId: 's', batchId: 'b', productId: 'p', quantity: 4, source: 'batch' as const },
      ...{ madeAt: '2026-11-21T11:00:00.000Z', staleAt: '2026-11-21T12:00:00.000Z', unitCost: money(1, 'EUR') },
    };
    expect(shelfChangeOfMade(made)).toEqual({ ...bucket, delta: 4 });
    expect(shelfChangesOfTaken('s', units)).toEqual([{ ...bucket, delta: -4 }]);
    expect(shelfChangesOfReturned('s', units)).toEqual([{ ...bucket, delta: 4 }]);
  });
});
