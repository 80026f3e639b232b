import { describe, expect, it } from 'vitest';
import { stretchOf, takingsOf } from './takings.ts';

describe('takings', () => {
  it('given sums of captures and refunds, when put together, then each tender and currency is one', () => {
    expect(
      takingsOf([
        { kind: 'capture', tender: 'account', currency: 'EUR', count: 2, amount: 700 },
        { kind: 'capture', tender: 'cash', currency: 'EUR', count: 1, amount: 200 },
        { kind: 'refund', tender: 'cash', currency: 'EUR', count: 1, amount: 200 },
        { kind: 'refund', tender: 'cash', currency: 'USD', count: 3, amount: 9 },
      ]),
    ).toEqual([
      { tender: 'account', currency: 'EUR', captures: 2, captured: 700, refunds: 0, refunded: 0 },
      { tender: 'cash', currency: 'EUR', captures: 1, captured: 200, refunds: 1, refunded: 200 },
      { tender: 'cash', currency: 'USD', captures: 0, captured: 0, refunds: 3, refunded: 9 },
    ]);
  });

  it('given two moments, when the second is not later, then they are no stretch of time', () => {
    const noon = '2026-11-21T12:00:00Z';
    expect(stretchOf(noon, '2026-11-21T13:00:00+01:00')).toEqual({ ok: false, refusal: { kind: 'no-stretch' } });
    expect(stretchOf(noon, '2026-11-21T12:00:00.001Z').ok).toBe(true);
    expect(stretchOf(undefined, undefined)).toEqual({ ok: true, value: { from: undefined, to: undefined } });
  });

  it('given a moment that its offset pushes beyond the year 9999, then it is the end of that year', () => {
    const stretch = stretchOf(undefined, '9999-12-31T23:59:59-14:00');
    expect(stretch).toEqual({ ok: true, value: { from: undefined, to: Date.UTC(9999, 11, 31, 23, 59, 59, 999) } });
  });
});
