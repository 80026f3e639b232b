import { type Instant, instant, MINUTE, plus } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOfDay, fateOf, isStale, nextSweep, SWEEP_EVERY, staleAtOf } from './shelf.ts';

function at(text: string): Instant {
  return instant(Date.parse(text));
}

const NOON = at('2026-11-21T11:00:00.000Z');
const hours = { timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };

describe('Staleness', () => {
  test('given a donut of 25 minutes, when they are over, then it is stale, and not a millisecond before', () => {
    const staleAt = staleAtOf(NOON, 25);
    expect(staleAt).toBe(plus(NOON, 25 * MINUTE));
    expect(isStale(staleAt, plus(NOON, 25 * MINUTE - 1))).toBe(false);
    expect(isStale(staleAt, plus(NOON, 25 * MINUTE))).toBe(true);
  });

  test('given a bottle without a shelf life, when any time has passed, then it is not stale', () => {
    expect(isStale(staleAtOf(NOON, null), at('2099-01-01T00:00:00Z'))).toBe(false);
  });
});

describe('The end of a day', () => {
  test.each([
    ['a shop at noon', 'shop', hours, '2026-11-21T11:00:00Z', '2026-11-20T17:00:00.000Z'],
    ['a shop at its closing', 'shop', hours, '2026-11-21T17:00:00Z', '2026-11-21T17:00:00.000Z'],
    ['a shop in the summer', 'shop', hours, '2026-07-21T20:00:00Z', '2026-07-21T16:00:00.000Z'],
    [
      'a shop around the clock',
      'shop',
      { timeZone: 'Asia/Tokyo', opensAt: '00:00', closesAt: '24:00' },
      '2026-11-21T11:00:00Z',
      '2026-11-20T15:00:00.000Z',
    ],
  ] as const)('given %s, then its last day ended when its own clock said so', (_what, kind, site, now, end) => {
    expect(endOfDay({ kind, ...site }, at(now))).toBe(at(end));
  });

  test.each(['vending', 'warehouse'] as const)('given a %s, then its days do not end', (kind) => {
    expect(endOfDay({ kind, ...hours }, NOON)).toBeNull();
  });
});

describe('The fate of goods', () => {
  const keeping = { staleAt: plus(NOON, MINUTE), shelvedAt: plus(NOON, -60 * MINUTE), keepsOvernight: false };

  test.each([
    ['fresh goods of this day', {}, plus(NOON, -120 * MINUTE), 'stays'],
    ['fresh goods of a day that ended', {}, NOON, 'closing'],
    ['goods that came at the very end of the day', { shelvedAt: NOON }, NOON, 'stays'],
    ['fresh goods that keep overnight', { keepsOvernight: true }, NOON, 'stays'],
    ['fresh goods where days do not end', {}, null, 'stays'],
    ['stale goods of a day that ended', { staleAt: NOON }, NOON, 'stale'],
    ['stale goods that would keep overnight', { staleAt: NOON, keepsOvernight: true }, NOON, 'stale'],
    ['goods that never go stale', { staleAt: null, keepsOvernight: true }, NOON, 'stays'],
  ] as const)('given %s, when the shelf is swept, then it is right', (_what, changes, dayEnd, fate) => {
    expect(fateOf({ ...keeping, ...changes }, NOON, dayEnd)).toBe(fate);
  });

  test('whatever its age, nothing stale stays, and nothing that keeps overnight goes for the hour', () => {
    const moments = fc.integer({ min: -1_000, max: 1_000 }).map((minutes) => plus(NOON, minutes * MINUTE));
    const goods = fc.record({ staleAt: fc.option(moments), shelvedAt: moments, keepsOvernight: fc.boolean() });
    fc.assert(
      fc.property(goods, fc.option(moments), (each, dayEnd) => {
        const fate = fateOf(each, NOON, dayEnd);
        expect(fate === 'stale').toBe(isStale(each.staleAt, NOON));
        if (fate === 'closing') expect(each.keepsOvernight).toBe(false);
      }),
    );
  });
});

test('the next sweep is at the next quarter of an hour, and never now', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000_000_000_000 }).map(instant), (now) => {
      const next = nextSweep(now);
      expect(next).toBeGreaterThan(now);
      expect(next - now).toBeLessThanOrEqual(SWEEP_EVERY);
      expect(next % SWEEP_EVERY).toBe(0);
    }),
  );
});
