import { type Law, lawForEach } from './law.ts';
import { contextOf, isCode, isTest, type Source, textsOf } from './source.ts';

const SCHEMAS = [
  'identity',
  'catalog',
  'production',
  'inventory',
  'orders',
  'bank',
  'fleet',
  'notifications',
  'insights',
];

/** SQL starts with a keyword all in capitals or all in small letters; an English sentence starts with one capital. */
const STARTS = [
  String.raw`select\b[\s\S]*\bfrom\b`,
  String.raw`insert\s+into\b`,
  String.raw`update\s+(only\s+)?[\w".?]+(\s+(as\s+)?\w+)?\s+set\b`,
  String.raw`delete\s+from\b`,
  String.raw`with\s+(recursive\s+)?\w+\s*(\([^)]*\))?\s+as\s+(not\s+)?(materialized\s+)?\(`,
  String.raw`(create|alter|drop)\s+(or\s+replace\s+)?(unique\s+)?(table|index|schema|role|view|type|function)\b`,
  String.raw`(truncate|lock\s+table)\s`,
  String.raw`(grant|revoke)\s+[\s\S]*\b(on|to|from)\b`,
  String.raw`set\s+(local\s+)?(role|search_path)\b`,
];
const SQL = STARTS.flatMap((start) => [new RegExp(`^\\s*${start}`), new RegExp(`^\\s*${upper(start)}`)]);
const FRAGMENT = /\b(WHERE|VALUES|RETURNING|ORDER BY|where|values|returning|order by)\b[\s\S]*\$\d/;

const SQL_ROOMS = [
  /^contexts\/[^/]+\/src\/store(\.ts|\/)/,
  /^packages\/platform\//,
  /^apps\/server\/src\/verify(\.ts|\/)/,
  /^apps\/server\/src\/replay\/(store|books|database)\.ts$/,
  /^(test|bench)\//,
];

/** The keywords of a pattern in capitals; escapes such as \s and \w keep their meaning. */
function upper(pattern: string): string {
  return pattern.replace(/\\?[a-z_]+/g, (word) => {
    if (!word.startsWith('\\')) return word.toUpperCase();
    return word.slice(0, 2) + word.slice(2).toUpperCase();
  });
}

export function isSql(text: string): boolean {
  return SQL.some((pattern) => pattern.test(text)) || FRAGMENT.test(text);
}

/** SQL without its comments and literals, line breaks kept. */
function bare(sql: string): string {
  return sql
    .replace(/--[^\n]*/g, '')
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/'(?:[^']|'')*'/g, "''");
}

function foreignSchemas(sql: string, own: string | undefined): string[] {
  const text = bare(sql);
  return SCHEMAS.filter(
    (schema) =>
      schema !== own &&
      (new RegExp(`(?<![\\w."])"?${schema}"?\\.["a-z_*]`).test(text) ||
        new RegExp(`search_path[^;]*\\b${schema}\\b`).test(text)),
  );
}

function sqlOf(source: Source): Array<{ text: string; line: number }> {
  if (source.path.endsWith('.sql')) return [{ text: source.text, line: 1 }];
  return textsOf(source).filter(({ text }) => isSql(text));
}

const sqlInStore = lawForEach(
  'SQL stands in store.ts, in migrations and in the platform only',
  "move the statement to the context's store.ts and give it a name there",
  (path) => isCode(path) && !isTest(path) && !SQL_ROOMS.some((room) => room.test(path)),
  (source) => sqlOf(source).map(({ text, line }) => ({ line, says: `SQL: ${text.trim().slice(0, 50)}…` })),
);

const ownSchema = lawForEach(
  "no SQL of a context names another context's schema",
  "keep a copy in the context's own schema, fed by the other context's events; only verify reads across",
  (path) => contextOf(path) !== undefined && (isCode(path) || path.endsWith('.sql')),
  (source) =>
    sqlOf(source).flatMap(({ text, line }) =>
      foreignSchemas(text, contextOf(source.path)).map((schema) => ({ line, says: `names the schema ${schema}` })),
    ),
);

const noSchema = lawForEach(
  "no SQL of the platform names a context's schema",
  'let the caller pass the schema, or rely on the search_path of its connection',
  (path) => path.startsWith('packages/') && !isTest(path) && (isCode(path) || path.endsWith('.sql')),
  (source) =>
    sqlOf(source).flatMap(({ text, line }) =>
      foreignSchemas(text, undefined).map((schema) => ({ line, says: `names the schema ${schema}` })),
    ),
);

export const sqlLaws: readonly Law[] = [sqlInStore, ownSchema, noSchema];
