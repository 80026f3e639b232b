import { instant } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { decideWaste, readPeriod } from './waste.ts';

describe('decideWaste', () => {
  const free = (id: string) => ({ id, state: 'available', isFree: true }) as const;

  test('given free units, when they are thrown out, then each goes once, however its id is written', () => {
    expect(decideWaste(['a', 'b', 'A'], [free('a'), free('b')])).toEqual({ ok: true, value: ['a', 'b'] });
  });

  test('given an unknown unit, when it is thrown out with others, then all stay and it is named', () => {
    expect(decideWaste(['a', 'x'], [free('a')])).toEqual({
      ok: false,
      refusal: { kind: 'unknown-units', unitIds: ['x'] },
    });
  });

  test('given units that are sold or being taken, when they are thrown out with others, then all stay and they are named', () => {
    const sold = { id: 'b', state: 'sold', isFree: false } as const;
    const going = { id: 'c', state: 'available', isFree: false } as const;
    expect(decideWaste(['a', 'b', 'c'], [free('a'), sold, going])).toEqual({
      ok: false,
      refusal: {
        kind: 'not-on-shelf',
        units: [
          { unitId: 'b', state: 'sold' },
          { unitId: 'c', state: 'available' },
        ],
      },
    });
  });
});

describe('readPeriod', () => {
  const berlin = 'Europe/Berlin';
  const moment = (text: string) => instant(Date.parse(text));

  test('given days, when they are read, then they are whole days by the clock on the wall, the last included', () => {
    expect(readPeriod('2026-10-25', '2026-10-25', berlin)).toEqual({
      ok: true,
      value: { from: moment('2026-10-24T22:00:00Z'), until: moment('2026-10-25T23:00:00Z') },
    });
  });

  test('given moments, when they are read, then they are meant to the millisecond', () => {
    expect(readPeriod('2026-11-21T08:00:00+01:00', '2026-11-21T08:00:00.500Z', berlin)).toEqual({
      ok: true,
      value: { from: moment('2026-11-21T07:00:00Z'), until: moment('2026-11-21T08:00:00.500Z') },
    });
  });

  test('given no edges, when they are read, then all time is meant', () => {
    const period = readPeriod(undefined, undefined, berlin);
    expect(period.ok && period.value.from < moment('2000-01-01T00:00:00Z')).toBe(true);
    expect(period.ok && period.value.until > moment('2100-01-01T00:00:00Z')).toBe(true);
  });

  test.each(['2026-02-30', '2026-00-10', 'x', '2026-11-21T24:61:00Z'])('refuses %s at either end', (text) => {
    expect(readPeriod(text, undefined, berlin)).toMatchObject({ ok: false, refusal: { pointer: '/from' } });
    expect(readPeriod(undefined, text, berlin)).toMatchObject({ ok: false, refusal: { pointer: '/to' } });
  });
});
