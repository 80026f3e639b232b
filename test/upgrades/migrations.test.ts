// An old process runs on while a new one has migrated: so what an old one needs goes one version later, and its
// migration says so in its name (docs/how-to/upgrade.md).
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const migrations = globSync('{contexts,packages}/*/migrations/*.sql', { cwd: root });

/** What an old process, which knows nothing of the change, would fail over. */
const TAKES_AWAY: readonly RegExp[] = [
  /\bDROP\s+(TABLE|COLUMN|VIEW|SCHEMA)\b/i,
  /\bRENAME\s+(TO|COLUMN|CONSTRAINT)?\b/i,
  /\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b/i,
  /\bALTER\s+COLUMN\s+\w+\s+SET\s+NOT\s+NULL\b/i,
  /\bADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?\w+\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b/i,
];

function takesAway(sql: string): string[] {
  const text = sql.replaceAll(/--.*$/gm, '');
  return TAKES_AWAY.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
}

describe('migrations', () => {
  test('given every migration, then only one that is named a contraction takes away what an old process needs', () => {
    expect(migrations.length).toBeGreaterThan(5);
    const found = migrations
      .filter((file) => !basename(file).slice(5).startsWith('contract-'))
      .flatMap((file) => takesAway(readFileSync(`${root}${file}`, 'utf8')).map((what) => `${file}: ${what}`));
    expect(found, 'expand now; contract a version later, in a migration named NNNN-contract-…').toEqual([]);
  });

  test.each([
    ['ALTER TABLE orders DROP COLUMN note;', true],
    ['ALTER TABLE orders RENAME COLUMN note TO remark;', true],
    ['ALTER TABLE orders ADD COLUMN note text NOT NULL;', true],
    ["ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';", false],
    ['ALTER TABLE orders ADD COLUMN note text;', false],
    ['ALTER TABLE orders ALTER COLUMN note TYPE varchar(5);', true],
    ['-- DROP TABLE orders;\nCREATE TABLE notes (id uuid PRIMARY KEY);', false],
    ['DROP TABLE orders;', true],
  ])('given "%s", then it is seen whether it takes away: %s', (sql, expected) => {
    expect(takesAway(sql).length > 0).toBe(expected);
  });
});
