import { type Law, lawForEach } from './law.ts';
import { contextOf, dottedName, importsOf, isCode, isTest, lineAt, type Node, type Source, walk } from './source.ts';

const PORTS: ReadonlyMap<string, string> = new Map([
  ['Date.now', 'the clock'],
  ['performance.now', 'the clock'],
  ['process.hrtime', 'the clock'],
  ['Temporal.Now', 'the clock'],
  ['Math.random', 'the ids'],
  ['crypto.randomUUID', 'the ids'],
  ['randomUUID', 'the ids'],
  ['process.env', 'the settings'],
  ['setTimeout', 'a timer row or the platform'],
  ['setInterval', 'a timer row or the platform'],
  ['setImmediate', 'the platform'],
]);

function inContext(path: string): boolean {
  return isCode(path) && /^contexts\/[^/]+\/src\//.test(path) && !isTest(path);
}

function findings(source: Source, says: (node: Node, parents: readonly Node[]) => string | undefined) {
  const found: Array<{ line: number; says: string }> = [];
  const program = source.program();
  if (program === undefined) return found;
  walk(program, (node, parents) => {
    const message = says(node, parents);
    if (message !== undefined) found.push({ line: lineAt(source.text, node.start), says: message });
  });
  return found;
}

/** A name where it is used: not a property of something else, nor a key or a parameter that happens to be called so. */
function isUse(node: Node, parent: Node | undefined): boolean {
  if (node.type === 'MemberExpression') return true;
  if (parent?.type === 'CallExpression') return parent['callee'] === node;
  return parent?.type === 'ImportSpecifier' && parent['imported'] === node;
}

const ports = lawForEach(
  'time, chance, environment and timers come from their ports',
  'take them from the platform that the context is given (clock, ids, settings), or as an argument',
  inContext,
  (source) => [
    ...findings(source, (node, parents) => {
      if (node.type === 'NewExpression' && dottedName(node['callee']) === 'Date') {
        const given = node['arguments'];
        return Array.isArray(given) && given.length > 0 ? undefined : 'new Date() instead of the clock';
      }
      if (node.type !== 'MemberExpression' && node.type !== 'Identifier') return undefined;
      const name = (dottedName(node) ?? '').replace(/^globalThis\./, '');
      const port = PORTS.get(name);
      return port !== undefined && isUse(node, parents.at(-1)) ? `${name} instead of ${port}` : undefined;
    }),
    ...importsOf(source)
      .filter(({ from }) => /^(node:)?timers(\/promises)?$/.test(from))
      .map(({ from, line }) => ({ line, says: `${from} instead of a timer row or the platform` })),
  ],
);

const syncDomain = lawForEach(
  'rules are pure: no async, await or promise in domain/',
  'load what the rule needs in the use case and pass it in; let the rule give back what is to be done',
  (path) => inContext(path) && /\/src\/domain(\.ts$|\/)/.test(path),
  (source) =>
    findings(source, (node) => {
      if (node['async'] === true) return 'an async function';
      if (node.type === 'AwaitExpression') return 'await';
      return node.type === 'Identifier' && node['name'] === 'Promise' ? 'a Promise' : undefined;
    }),
);

const noEnum = lawForEach(
  'no enum and no default export',
  'use a union of literals with a `satisfies` table; export by name',
  (path) => isCode(path) && /^(packages|contexts|apps|test|bench)\//.test(path) && !path.endsWith('.config.ts'),
  (source) =>
    findings(source, (node) => {
      if (node.type === 'TSEnumDeclaration') return 'an enum';
      return node.type === 'ExportDefaultDeclaration' ? 'a default export' : undefined;
    }),
);

const testsRun = lawForEach(
  'every test runs, or says why not',
  "remove .only; skip with a condition and a reason: test('…', ({ skip }) => skip(noBrowser, 'no Chromium here'))",
  (path) => isCode(path) && isTest(path),
  (source) =>
    findings(source, (node, parents) => {
      if (node.type !== 'MemberExpression') return undefined;
      const name = dottedName(node) ?? '';
      if (/^(test|it|describe|suite)\.(.*\.)?(only|skip|todo)$/.test(name)) return name;
      if (!/^(test|it|describe|suite)\.(.*\.)?(skipIf|runIf)$/.test(name)) return undefined;
      const title = titleOf(node, parents);
      return title?.includes('skipped') ? undefined : `${name} without a title that says when it is skipped`;
    }),
);

/** The title in `test.skipIf(condition)('title', …)`. */
function titleOf(node: Node, parents: readonly Node[]): string | undefined {
  const condition = parents.at(-1);
  const call = parents.at(-2);
  if (condition?.['callee'] !== node || call?.['callee'] !== condition) return undefined;
  const given: unknown = call['arguments'];
  const first: unknown = Array.isArray(given) ? given[0] : undefined;
  return typeof first === 'object' && first !== null && 'value' in first ? String(first.value) : undefined;
}

const contextsAreListed = lawForEach(
  'contexts are those of the design',
  'add the new context to the design first, then to the lists of the tidy test',
  (path) => contextOf(path) !== undefined,
  (source) =>
    /^(identity|catalog|production|inventory|orders|bank|fleet|notifications|insights)$/.test(
      contextOf(source.path) ?? '',
    )
      ? []
      : [{ says: 'an unknown context' }],
);

export const purityLaws: readonly Law[] = [ports, syncDomain, noEnum, testsRun, contextsAreListed];
