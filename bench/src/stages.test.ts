import { describe, expect, test } from 'vitest';
import { STAGES, type StageReached, stageLatencies } from './stages.ts';

function order(orderId: string, times: readonly number[]): StageReached[] {
  return times.map((at, index) => ({ orderId, stage: STAGES[index] ?? 'placed', at }));
}

describe('how long orders take from stage to stage', () => {
  test('given one order, when looked at, then each step is counted from the one before', () => {
    expect(stageLatencies(order('a', [1_000, 1_010, 1_013, 1_020, 1_025]))).toEqual({
      orders: 1,
      steps: {
        held: { p50: 10, p99: 10 },
        'payment requested': { p50: 3, p99: 3 },
        captured: { p50: 7, p99: 7 },
        paid: { p50: 5, p99: 5 },
      },
      whole: { p50: 25, p99: 25 },
    });
  });

  test('given events of many orders in any order, when looked at, then those of one order belong together', () => {
    const all = Array.from({ length: 100 }, (_, n) => order(`${n}`, [n, n + 1, n + 2, n + 3, n + 4 + n])).flat();
    const latencies = stageLatencies(all.toReversed());
    expect(latencies).toMatchObject({ orders: 100, steps: { held: { p50: 1 } }, whole: { p50: 54, p99: 103 } });
  });

  test('given an order that was refused on its way, when looked at, then it is left out', () => {
    const all = [...order('a', [0, 1, 2, 3, 4]), ...order('refused', [0, 500])];
    expect(stageLatencies(all)).toMatchObject({ orders: 1, whole: { p50: 4 } });
    expect(stageLatencies(order('refused', [0, 500]))).toBeUndefined();
  });
});
