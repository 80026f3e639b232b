import { describe, expect, test } from 'vitest';
import { runningParts } from './running-parts.ts';

describe('the table of a town that runs apart', () => {
  test('given what it says when it is ready, when read, then replicas have the name of their context', () => {
    const lines = [
      '  runs      process  address                 database',
      '  orders 1  41       http://127.0.0.1:40001  provender_orders',
      '  orders 2  42       http://127.0.0.1:40002  provender_orders',
      '  gateway   50       http://127.0.0.1:3000',
      'Provender is ready at http://127.0.0.1:3000, each context apart',
    ];
    const { address, parts } = runningParts(lines);
    expect(address.port).toBe('3000');
    expect(parts).toEqual([
      { name: 'orders', pid: 41 },
      { name: 'orders', pid: 42 },
      { name: 'gateway', pid: 50 },
    ]);
  });

  test('given it has not said where it is, when read, then it says so', () => {
    expect(() => runningParts(['starting'])).toThrow(/has not said where it is/);
  });
});
