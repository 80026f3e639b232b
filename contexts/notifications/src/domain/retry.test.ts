import { DAY, MINUTE, SECOND } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { laneRest, TRIES_MAX, waitAfter } from './retry.ts';

describe('waits', () => {
  test('given failures, when a message waits, then longer each time, for two days together, and then no more', () => {
    const waits = Array.from({ length: TRIES_MAX }, (_, index) => waitAfter(index + 1, 0.5));
    expect(waits[0]).toBe(5 * SECOND);
    expect(waits.at(-1)).toBeUndefined();
    const known = waits.filter((wait) => wait !== undefined);
    expect(known).toEqual([...known].sort((left, right) => left - right));
    expect(known.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(2 * DAY);
  });

  test('given those who failed together, when they wait, then not equally long', () => {
    expect(waitAfter(3, 0)).toBeLessThan(waitAfter(3, 0.99) ?? 0);
  });

  test('given a closed door, when it is left alone, then for a second at first and for a minute at most', () => {
    expect([1, 2, 3, 50].map(laneRest)).toEqual([SECOND, 2 * SECOND, 4 * SECOND, MINUTE]);
  });
});
