import type { Source } from './source.ts';

export type Finding = { readonly path: string; readonly line?: number; readonly says: string };

/** A rule of the tree: what it is called, how a breach is mended, and how it is found. */
export type Law = {
  readonly name: string;
  readonly mend: string;
  readonly check: (sources: readonly Source[]) => readonly Finding[];
};

/** A law that looks at one file at a time. */
export function lawForEach(
  name: string,
  mend: string,
  applies: (path: string) => boolean,
  check: (source: Source) => ReadonlyArray<Omit<Finding, 'path'>>,
): Law {
  return {
    name,
    mend,
    check: (sources) =>
      sources
        .filter((source) => applies(source.path))
        .flatMap((source) => check(source).map((finding) => ({ path: source.path, ...finding }))),
  };
}

export function describeFinding(finding: Finding): string {
  return `${finding.path}${finding.line === undefined ? '' : `:${finding.line}`}: ${finding.says}`;
}
