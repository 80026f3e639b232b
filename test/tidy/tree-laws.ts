import { posix } from 'node:path';
import { type Finding, type Law, lawForEach } from './law.ts';
import { contextOf, lineAt, type Source } from './source.ts';

/** What stands in every context; what outgrows its file becomes a folder of the same name. */
const FURNITURE: ReadonlyArray<readonly [kind: string, pattern: RegExp]> = [
  ['README.md', /^README\.md$/],
  ['migrations/', /^migrations\/\d{4}-[a-z0-9-]+\.sql$/],
  ['src/domain/', /^src\/domain(\.ts$|\/)/],
  ['src/use-cases/', /^src\/use-cases(\.ts$|\/)/],
  ['src/store.ts', /^src\/store(\.ts$|\/)/],
  ['src/routes.ts', /^src\/routes(\.ts$|\/)/],
  ['src/index.ts', /^src\/index\.ts$/],
];
const ALLOWED = [...FURNITURE.slice(2).map(([, pattern]) => pattern), /^src\/reactions(\.ts$|\/)/, /\.test\.ts$/];

function contextsOf(sources: readonly Source[]): Map<string, Source[]> {
  const contexts = new Map<string, Source[]>();
  for (const source of sources) {
    const context = contextOf(source.path);
    if (context !== undefined) contexts.set(context, [...(contexts.get(context) ?? []), source]);
  }
  return contexts;
}

const furniture: Law = {
  name: 'every context is furnished alike',
  mend: 'add what is missing, where every other context has it (docs/how-to/add-a-context.md)',
  check: (sources) =>
    [...contextsOf(sources)].flatMap(([context, files]) => {
      const inside = files.map(({ path }) => path.slice(`contexts/${context}/`.length));
      const missing = FURNITURE.filter(([, pattern]) => !inside.some((path) => pattern.test(path)));
      return missing.map(([kind]) => ({ path: `contexts/${context}`, says: `has no ${kind}` }));
    }),
};

const nothingElse: Law = {
  name: "what is beyond a context's furniture is named in its README",
  mend: "put it into one of the seven places, or name the file in the context's README.md and say why it is apart",
  check: (sources) =>
    [...contextsOf(sources)].flatMap(([context, files]): Finding[] => {
      const readme = files.find(({ path }) => path === `contexts/${context}/README.md`)?.text ?? '';
      return files.flatMap(({ path }) => {
        const inside = path.slice(`contexts/${context}/`.length);
        const known = !inside.startsWith('src/') || ALLOWED.some((pattern) => pattern.test(inside));
        return known || readme.includes(posix.basename(inside)) ? [] : [{ path, says: 'not named in the README' }];
      });
    }),
};

/** Markdown with fenced code blanked, so that a comment in a shell example is no title and an example no link. */
function prose(markdown: string): string {
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, (code) => code.replace(/[^\n]/g, ' '));
}

const oneTitle = lawForEach(
  'a document has exactly one title',
  'begin it with one line `# Title`, and use ## below',
  (path) => path.endsWith('.md'),
  (source) => {
    const titles = prose(source.text).match(/^# /gm)?.length ?? 0;
    return titles === 1 ? [] : [{ says: `${titles} titles` }];
  },
);

const decisionsNumbered: Law = {
  name: 'decision records are numbered 0001, 0002, … without a gap',
  mend: 'give the newest record the next free number; a record is superseded, never removed',
  check: (sources) => {
    const records = sources
      .map(({ path }) => path)
      .filter((path) => path.startsWith('docs/decisions/') && !path.endsWith('/README.md'))
      .sort();
    return records.flatMap((path, index) => {
      const wanted = String(index + 1).padStart(4, '0');
      return posix.basename(path).startsWith(`${wanted}-`) && path.endsWith('.md')
        ? []
        : [{ path, says: `should be number ${wanted}` }];
    });
  },
};

const linksLead: Law = {
  name: 'links between documents and to files lead somewhere',
  mend: 'correct the path; it is relative to the document',
  check: (sources) => {
    const there = new Set<string>();
    for (const { path } of sources) for (let at = path; at !== '.'; at = posix.dirname(at)) there.add(at);
    return sources
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((source) => deadLinks(source, there).map((finding) => ({ path: source.path, ...finding })));
  },
};

function deadLinks(source: Source, there: ReadonlySet<string>): Array<{ line: number; says: string }> {
  const text = prose(source.text);
  return [...text.matchAll(/\]\((?!https?:|mailto:|#|\/)([^)\s#]+)(?:#[^)\s]*)?\)/g)].flatMap((match) => {
    const target = posix.normalize(posix.join(posix.dirname(source.path), match[1] ?? '')).replace(/\/$/, '');
    return target === '.' || there.has(target) ? [] : [{ line: lineAt(text, match.index), says: `no ${target}` }];
  });
}

export const treeLaws: readonly Law[] = [furniture, nothingElse, oneTitle, decisionsNumbered, linksLead];
