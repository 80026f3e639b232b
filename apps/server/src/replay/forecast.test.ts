import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bakingOf, forecast, learn, NO_HISTORY, orderUpTo, piecesFor, servedShare } from './forecast.ts';

const TEN_HOURS = 10 * 3_600;

/** What is known after so many days, from a Monday on. */
function after(demands: readonly number[]) {
  return demands.reduce((history, demand, day) => learn(history, day % 7, demand), NO_HISTORY);
}

describe('the demand to expect', () => {
  test('given nothing yet, when a day is planned, then nothing is expected', () => {
    expect(forecast(NO_HISTORY, 0)).toBe(0);
  });

  test('given the same demand every day, when a day is planned, then it is expected', () => {
    expect(forecast(after(Array(20).fill(8)), 3)).toBeCloseTo(8);
  });

  test('given Saturdays that sell twice as much, when they are planned, then more is expected than on a Tuesday', () => {
    const weeks = Array.from({ length: 42 }, (_, day) => (day % 7 === 5 ? 20 : 10));
    expect(forecast(after(weeks), 5)).toBeGreaterThan(16);
    expect(forecast(after(weeks), 1)).toBeLessThan(12);
  });

  test('given a demand that has risen, when a day is planned, then what is recent counts most', () => {
    expect(forecast(after([...Array(30).fill(4), ...Array(14).fill(12)]), 2)).toBeGreaterThan(8.5);
  });

  test('given any past, when a day is planned, then no more is expected than was ever asked for, and no less', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { minLength: 1, maxLength: 60 }), fc.nat(6), (demands, weekday) => {
        const expected = forecast(after(demands), weekday);
        expect(expected).toBeLessThanOrEqual(Math.max(...demands) + 1e-9);
        if (demands.length >= 7) expect(expected).toBeGreaterThanOrEqual(Math.min(...demands) - 1e-9);
      }),
    );
  });
});

describe('what is baked and bought', () => {
  test('given what is hardly ever asked for, when a day is planned, then none is made ahead', () => {
    expect([0, 0.1, 0.3, 0.5, 1, 9].map((expected) => piecesFor(expected, 0.68))).toEqual([0, 0, 0, 1, 1, 10]);
  });

  test('given a piece that costs half its price, when a day is planned, then fewer are made than of one that costs a tenth', () => {
    expect(servedShare(200, 100)).toBe(0.5);
    expect(piecesFor(9, servedShare(200, 100))).toBeLessThan(piecesFor(9, servedShare(200, 20)));
    expect([servedShare(0, 0), servedShare(100, 500), servedShare(100, 0)]).toEqual([0.5, 0.5, 0.95]);
  });

  test('given more customers than a loop should count, when a day is planned, then the margin is about the same', () => {
    expect(piecesFor(100, 0.9)).toBe(113);
    expect(piecesFor(100.1, 0.9)).toBeGreaterThanOrEqual(112);
    expect(piecesFor(1e6, 0.9)).toBeLessThan(1.01e6);
  });

  test('given what stays fresh all day, when pieces are spread, then they are baked at opening; else in more batches', () => {
    expect(bakingOf(0, TEN_HOURS, 600)).toBeUndefined();
    expect(bakingOf(4, TEN_HOURS, 600)).toEqual({ everySeconds: TEN_HOURS, quantity: 4 });
    expect(bakingOf(11, TEN_HOURS, 300)).toEqual({ everySeconds: TEN_HOURS / 2, quantity: 6 });
  });

  test('given a shelf life of 25 minutes, when pieces are spread, then there is a batch as often', () => {
    expect(bakingOf(30, TEN_HOURS, 25)).toEqual({ everySeconds: 1_500, quantity: 2 });
  });

  test('given any day, when pieces are spread, then there are enough of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 60, max: 86_400 }), (pieces, openSeconds) => {
        const baking = bakingOf(pieces, openSeconds, 600);
        const batches = Math.ceil(openSeconds / (baking?.everySeconds ?? 1));
        expect((baking?.quantity ?? 0) * batches).toBeGreaterThanOrEqual(pieces);
      }),
    );
  });

  test('given enough for three days, when goods are bought in, then none; else up to what a week needs', () => {
    expect(orderUpTo(2, 12, 7)).toBe(0);
    expect(orderUpTo(2, 3, 7)).toBe(piecesFor(14, 0.95) - 3);
    expect(orderUpTo(0, 0, 7)).toBe(0);
  });
});
