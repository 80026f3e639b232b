import { posix } from 'node:path';
import { type Law, lawForEach } from './law.ts';
import { contextOf, importsOf, isCode, isTest } from './source.ts';

const CONTEXT_PACKAGES =
  /^@provender\/(identity|catalog|production|inventory|orders|bank|fleet|notifications|insights)(\/|$)/;

/** The innermost rooms of a context and which of its rooms each may reach into. */
const INWARDS: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  store: ['store', 'domain'],
};

/** The adapters, which nothing further in may reach out to. */
const OUTERMOST = /^(routes|reactions|index)$/;

/** What each inner room may import from outside of its context. */
const OUTSIDE: Readonly<Record<string, RegExp>> = {
  domain: /^@provender\/(kernel|contracts)$/,
  'use-cases': /^(@provender\/(kernel|contracts|platform)|node:crypto|node:util|jose|oidc-provider)$/,
  store: /^@provender\/(kernel|contracts|platform)$/,
};

function roomOf(path: string): string | undefined {
  return /^contexts\/[^/]+\/src\/([a-z-]+)(?:\.ts$|\/)/.exec(path)?.[1];
}

function workspaceOf(path: string): string {
  return /^(contexts|packages|apps)\/[^/]+/.exec(path)?.[0] ?? /^(test|bench)(?=\/)/.exec(path)?.[0] ?? '';
}

function resolve(path: string, from: string): string {
  return posix.join(posix.dirname(path), from);
}

/** Adapters use what is further in, and only index.ts uses them. */
function reachesOut(room: string, target: string): boolean {
  return target === 'index' || (!OUTERMOST.test(room) && OUTERMOST.test(target));
}

const inwards = lawForEach(
  'imports point inwards: domain ← store, use-cases ← routes, reactions ← index',
  'move what is needed inwards (a rule to domain/, SQL to store.ts), or pass it in as an argument',
  (path) => isCode(path) && roomOf(path) !== undefined && !isTest(path),
  (source) => {
    const room = roomOf(source.path) ?? '';
    return importsOf(source).flatMap(({ from, line }) => {
      if (!from.startsWith('.')) {
        const outside = OUTSIDE[room];
        const fits = outside === undefined || outside.test(from);
        return fits ? [] : [{ line, says: `${room} imports ${from}` }];
      }
      const target = roomOf(resolve(source.path, from)) ?? '';
      const fits = INWARDS[room]?.includes(target) ?? !reachesOut(room, target);
      return fits ? [] : [{ line, says: `${room} imports ${from}` }];
    });
  },
);

const contextsApart = lawForEach(
  'no context imports another one',
  'let the other context say what happened in an event of packages/contracts, and keep a copy of what is needed',
  (path) => isCode(path) && contextOf(path) !== undefined,
  (source) =>
    importsOf(source).flatMap(({ from, line }) => {
      const name = CONTEXT_PACKAGES.exec(from)?.[1];
      return name === undefined || name === contextOf(source.path) ? [] : [{ line, says: `imports ${from}` }];
    }),
);

const frontDoors = lawForEach(
  'a workspace is entered by its package name only',
  "import it by its package name ('@provender/…') and export what is missing from its src/index.ts",
  isCode,
  (source) =>
    importsOf(source).flatMap(({ from, line }) => {
      const deep = /^@provender\/[^/]+\/(?!testing$)/.test(from);
      const leaves = from.startsWith('.') && workspaceOf(resolve(source.path, from)) !== workspaceOf(source.path);
      return deep || leaves ? [{ line, says: `reaches into another workspace: ${from}` }] : [];
    }),
);

const contractsPure = lawForEach(
  'contracts import only the kernel and typebox',
  'keep events and public types in contracts; behaviour belongs to a context or to the platform',
  (path) => isCode(path) && path.startsWith('packages/contracts/src/') && !isTest(path),
  (source) =>
    importsOf(source).flatMap(({ from, line }) =>
      /^(\.|@provender\/kernel$|typebox(\/|$))/.test(from) ? [] : [{ line, says: `imports ${from}` }],
    ),
);

const kernelPure = lawForEach(
  'the kernel imports nothing but temporal-polyfill',
  'write the few lines that are needed, or move the code to packages/platform',
  (path) => isCode(path) && path.startsWith('packages/kernel/src/') && !isTest(path),
  (source) =>
    importsOf(source).flatMap(({ from, line }) =>
      /^(\.|temporal-polyfill$)/.test(from) ? [] : [{ line, says: `imports ${from}` }],
    ),
);

const platformBelow = lawForEach(
  'packages know no context, application or test',
  'pass it in from apps/server, which knows them all',
  (path) => isCode(path) && path.startsWith('packages/'),
  (source) =>
    importsOf(source).flatMap(({ from, line }) =>
      CONTEXT_PACKAGES.test(from) || /^@provender\/(server|machine|gateway|web|test|bench)(\/|$)/.test(from)
        ? [{ line, says: `imports ${from}` }]
        : [],
    ),
);

const contextsBelow = lawForEach(
  'contexts know no application, and the test harness only in tests',
  'pass it in from apps/server; import @provender/platform/testing in *.test.ts or test/ only',
  (path) => isCode(path) && contextOf(path) !== undefined,
  (source) =>
    importsOf(source).flatMap(({ from, line }) =>
      /^@provender\/(server|machine|gateway|web|test|bench)(\/|$)/.test(from) ||
      (!isTest(source.path) && /^(@provender\/platform\/testing|vitest|fast-check)$/.test(from))
        ? [{ line, says: `imports ${from}` }]
        : [],
    ),
);

export const importLaws: readonly Law[] = [
  inwards,
  contextsApart,
  frontDoors,
  contractsPure,
  kernelPure,
  platformBelow,
  contextsBelow,
];
