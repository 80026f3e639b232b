import { describe, expect, test } from 'vitest';
import { describeFinding } from './law.ts';
import { laws } from './laws.ts';
import { readTree } from './source.ts';

const sources = readTree();

describe('the laws of the tree', () => {
  test('given the repository, when it is read, then files are found', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  test.each(laws.map((law) => [law.name, law] as const))('%s', (_name, law) => {
    expect(law.check(sources).map(describeFinding), `Mend: ${law.mend}`).toEqual([]);
  });
});
