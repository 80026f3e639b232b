import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

/** A node of the syntax tree (ESTree with TypeScript's additions). */
export type Node = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

/** A file of the project as the laws see it: read once, parsed at most once. */
export type Source = {
  readonly path: string;
  readonly text: string;
  /** The syntax tree of a TypeScript or JavaScript file, undefined for other files. */
  readonly program: () => Node | undefined;
};

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const BINARY = /\.(png|jpg|jpeg|gif|ico|webp|woff2?|pdf|gz|zip)$/;

export function sourceOf(path: string, text: string): Source {
  let parsed: Node | undefined;
  return {
    path,
    text,
    program() {
      if (!isCode(path)) return undefined;
      const lang = path.endsWith('.tsx') ? 'tsx' : path.endsWith('.ts') ? 'ts' : 'js';
      parsed ??= parseAst(text, { lang }, path) as unknown as Node;
      return parsed;
    },
  };
}

/** Every file that git tracks or would track. */
export function readTree(): Source[] {
  // Root may run the tests in a clone that belongs to somebody else.
  const git = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const list = execFileSync('git', git, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  });
  return list
    .split('\0')
    .filter((path) => path !== '' && !BINARY.test(path))
    .flatMap((path) => {
      const text = readIfThere(path);
      return text === undefined ? [] : [sourceOf(path, text)];
    });
}

/** A file that was deleted but not committed yet is still listed by git; it is not part of the tree any more. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|js)$/.test(path);
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /^(contexts|packages|apps)\/[^/]+\/test\//.test(path);
}

/** The context that a file belongs to. */
export function contextOf(path: string): string | undefined {
  return /^contexts\/([^/]+)\//.exec(path)?.[1];
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** Visits every node of a tree, parents first; `parents` ends with the nearest one. */
export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => void, parents: Node[] = []): void {
  visit(node, parents);
  parents.push(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const item of value) walkIfNode(item, visit, parents);
    else walkIfNode(value, visit, parents);
  }
  parents.pop();
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `a.b.c` of a member expression made of plain names, undefined for any other expression. */
export function dottedName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type !== 'MemberExpression' || node['computed'] === true) return undefined;
  const object = dottedName(node['object']);
  const property = dottedName(node['property']);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** The texts that a file imports from, re-exports and dynamic imports included. */
export function importsOf(source: Source): Array<{ readonly from: string; readonly line: number }> {
  const found: Array<{ from: string; line: number }> = [];
  const program = source.program();
  if (program === undefined) return found;
  walk(program, (node) => {
    if (!/^(Import(Declaration|Expression)|Export(Named|All)Declaration|TSImportType)$/.test(node.type)) return;
    const from = node['source'] ?? node['argument'];
    if (isNode(from) && typeof from['value'] === 'string') {
      found.push({ from: from['value'], line: lineAt(source.text, node.start) });
    }
  });
  return found;
}

/** The texts of string literals and templates, an expression within a template as `?`. */
export function textsOf(source: Source): Array<{ readonly text: string; readonly line: number }> {
  const found: Array<{ text: string; line: number }> = [];
  const program = source.program();
  if (program === undefined) return found;
  walk(program, (node) => {
    const line = lineAt(source.text, node.start);
    if (node.type === 'Literal' && typeof node['value'] === 'string') found.push({ text: node['value'], line });
    if (node.type === 'TemplateLiteral') found.push({ text: templateText(node), line });
  });
  return found;
}

function templateText(node: Node): string {
  const quasis = Array.isArray(node['quasis']) ? node['quasis'] : [];
  return quasis.map((quasi: { value: { raw: string } }) => quasi.value.raw).join('?');
}

function walkIfNode(value: unknown, visit: (node: Node, parents: readonly Node[]) => void, parents: Node[]): void {
  if (isNode(value)) walk(value, visit, parents);
}
