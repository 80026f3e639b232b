import { describe, expect, test } from 'vitest';
import { laws } from './laws.ts';
import { planted } from './planted.ts';
import { sourceOf } from './source.ts';

const cases = laws.map((law) => {
  const key = Object.keys(planted).find((name) => law.name.startsWith(name));
  return { law, examples: key === undefined ? undefined : planted[key] };
});

describe('the laws of the tree can be broken', () => {
  test('given the laws, when counted, then each has its examples', () => {
    expect(cases.filter(({ examples }) => examples === undefined).map(({ law }) => law.name)).toEqual([]);
    expect(Object.keys(planted)).toHaveLength(laws.length);
  });

  for (const { law, examples } of cases) {
    test.each(examples?.breaks ?? [])(
      `given a breach of "${law.name}", when read, then it is found: %s (%#)`,
      (path, text) => {
        const findings = law.check([sourceOf(path, text)]);
        expect(findings.length).toBeGreaterThan(0);
        expect(findings.every((finding) => path.startsWith(finding.path))).toBe(true);
      },
    );

    test.each(examples?.keeps ?? [])(
      `given a file that keeps "${law.name}", when read, then nothing is said: %s (%#)`,
      (path, text) => {
        expect(law.check([sourceOf(path, text)])).toEqual([]);
      },
    );
  }

  test('given a context with all its furniture and an odd file named in its README, when read, then it is well', () => {
    const files = [
      'migrations/0001-orders.sql',
      'src/domain/a.ts',
      'src/use-cases/b.ts',
      'src/store.ts',
      'src/routes.ts',
    ];
    const sources = [...files, 'src/index.ts', 'src/printing.ts'].map((path) =>
      sourceOf(`contexts/orders/${path}`, ''),
    );
    const readme = sourceOf('contexts/orders/README.md', '# Orders\n\n`printing.ts` talks to the printer.\n');
    const furnitureLaws = laws.filter((law) => /furnished|furniture/.test(law.name));

    expect(furnitureLaws).toHaveLength(2);
    for (const law of furnitureLaws) expect(law.check([...sources, readme])).toEqual([]);
  });
});
