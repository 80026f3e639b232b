import { describe, expect, test } from 'vitest';
import { parseReplicas, REPLICAS_MAX, replicasOfEach } from './replicas.ts';

describe('the number of processes of each context', () => {
  test('given one number, when read, then it is that of each context', () => {
    expect(parseReplicas('2')).toEqual(replicasOfEach(2));
  });

  test('given some contexts, when read, then there is one of every other', () => {
    expect(parseReplicas('orders=2,bank=3')).toEqual({ ...replicasOfEach(1), orders: 2, bank: 3 });
  });

  test.each(['', '0', '-1', '1.5', 'x', 'orders', 'orders=', 'orders=0', 'sales=2', '2,3', `${REPLICAS_MAX + 1}`])(
    'given %j, when read, then it is refused',
    (text) => expect(parseReplicas(text)).toBeUndefined(),
  );
});
