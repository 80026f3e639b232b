import { HOUR, MINUTE, SECOND } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptSignIn, type BackOffScope, type FailureCount, FORGET_FAILURES_AFTER } from './back-off.ts';

const scopes = fc.constantFrom<BackOffScope>('pair', 'account', 'address');

function waitOf(counts: readonly FailureCount[]): number {
  const attempt = attemptSignIn(counts);
  return attempt.ok ? 0 : attempt.refusal.retryAfter;
}

describe('backing off', () => {
  it('given nine failures of a pair, when it tries again at once, then it may', () => {
    expect(attemptSignIn([{ scope: 'pair', failures: 9, sinceLastFailure: 0 }])).toMatchObject({ ok: true });
  });

  it.each([
    ['pair', 10, SECOND],
    ['pair', 13, 8 * SECOND],
    ['pair', 900, 15 * MINUTE],
    ['account', 99, 0],
    ['account', 500, MINUTE],
    ['address', 199, 0],
    ['address', 500, 5 * MINUTE],
  ] as const)(
    'given a %s with %i failures, when it tries again at once, then it waits %i ms',
    (scope, failures, wait) => {
      expect(waitOf([{ scope, failures, sinceLastFailure: 0 }])).toBe(wait);
    },
  );

  it('given half of the wait is over, when tried, then the other half is said', () => {
    expect(waitOf([{ scope: 'pair', failures: 13, sinceLastFailure: 4 * SECOND }])).toBe(4 * SECOND);
  });

  it('given an hour without a failure, when tried, then all is forgotten', () => {
    expect(waitOf([{ scope: 'pair', failures: 1_000, sinceLastFailure: HOUR }])).toBe(0);
  });

  it('given any counts, when one more failure is counted, then the wait is no shorter, and never an hour', () => {
    fc.assert(
      fc.property(scopes, fc.nat(2_000), fc.nat(2 * HOUR), (scope, failures, sinceLastFailure) => {
        const before = waitOf([{ scope, failures, sinceLastFailure }]);
        expect(waitOf([{ scope, failures: failures + 1, sinceLastFailure }])).toBeGreaterThanOrEqual(before);
        expect(before).toBeLessThan(FORGET_FAILURES_AFTER);
      }),
    );
  });

  it('given several counts, when tried, then the longest wait counts', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (pair, address) => {
        const counts = [
          { scope: 'pair', failures: pair, sinceLastFailure: 0 },
          { scope: 'address', failures: address, sinceLastFailure: 0 },
        ] as const;
        expect(waitOf(counts)).toBe(Math.max(...counts.map((count) => waitOf([count]))));
      }),
    );
  });
});
