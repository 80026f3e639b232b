import { describe, expect, test } from 'vitest';
import { changedPreferences, passesLimit, switchesOf, USUAL } from './preferences.ts';

describe('preferences', () => {
  test('given the usual, when some kinds are switched, then the others stay as they are', () => {
    const chosen = changedPreferences(USUAL, { email: { 'order-paid': true, 'order-refunded': false } });
    expect(chosen.email).toEqual([
      'order-paid',
      'order-refused',
      'order-status-changed',
      'order-cancelled',
      'money-arrived',
    ]);
    expect(chosen.webhook).toEqual(USUAL.webhook);
    expect(switchesOf(chosen.email)).toMatchObject({ 'order-paid': true, 'order-refunded': false });
  });

  test('given what was chosen, when nothing is changed, then it is the same', () => {
    const chosen = changedPreferences(USUAL, { wasteLimit: { amount: 700, currency: 'EUR' } });
    expect(changedPreferences(chosen, {})).toEqual(chosen);
  });

  test.each([
    [{ before: 0, after: 700 }, false],
    [{ before: 700, after: 701 }, true],
    [{ before: 0, after: 9_000 }, true],
    [{ before: 701, after: 9_000 }, false],
  ])('given a limit of 7.00, when waste grows as %o, then it is passed: %s', (step, isPassed) => {
    expect(passesLimit({ amount: 700, currency: 'EUR' }, { ...step, currency: 'EUR' })).toBe(isPassed);
    expect(passesLimit({ amount: 700, currency: 'SEK' }, { ...step, currency: 'EUR' })).toBe(false);
  });

  test('given no limit of one’s own, when waste passes 50, then that is the limit, in any currency', () => {
    expect(passesLimit(undefined, { before: 5_000, after: 5_001, currency: 'SEK' })).toBe(true);
    expect(passesLimit(undefined, { before: 0, after: 5_000, currency: 'SEK' })).toBe(false);
  });
});
