import type { RecordedEvent } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { isSoldOut, shelfSteps } from './shelf.ts';

function event(name: string, data: object): RecordedEvent {
  const frame = { id: name, source: 'inventory' as const, position: 1, time: '', key: 's', subject: 's' };
  return { ...frame, type: `inventory.${name}.v1`, data };
}

const group = (productId: string, quantity: number) => ({ productId, batchId: 'b', staleAt: null, quantity });

describe('shelves', () => {
  test('given a set of events, when added up, then each product of each site has one step', () => {
    const steps = shelfSteps([
      event('units-made', { siteId: 's', productId: 'bread', quantity: 5 }),
      event('units-held', { siteId: 's', units: [group('bread', 2), group('bun', 1)] }),
      event('units-released', { siteId: 's', units: [group('bread', 1)] }),
      event('units-discarded', { siteId: 's', wasOnShelf: true, units: [group('bun', 3)] }),
      event('units-discarded', { siteId: 's', wasOnShelf: false, units: [group('bread', 4)] }),
      event('units-sold', { siteId: 's', units: [group('bread', 2)] }),
      event('units-made', { siteId: 'other', productId: 'bread', quantity: 7 }),
    ]);
    expect(steps.map(({ siteId, productId, delta }) => [siteId, productId, delta])).toEqual([
      ['s', 'bread', 4],
      ['s', 'bun', -4],
      ['other', 'bread', 7],
    ]);
  });

  test.each([
    [3, 0, true],
    [3, 1, false],
    [0, 0, false],
    [0, 4, false],
    [1, -1, true],
  ])('given %i free, when there are %i, then it has just run out: %s', (before, after, isOut) => {
    expect(isSoldOut({ before, after })).toBe(isOut);
  });
});
