import { randomBytes } from 'node:crypto';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { AUDITOR_ROLE } from '@provender/platform';
import type pg from 'pg';
import type { Check } from './checks.ts';
import { connectionTo, type Home, joinLook } from './homes.ts';
import { type CheckMoment, type CheckOutcome, runCheck } from './run-check.ts';

// Checks that compare contexts in different databases. The smaller side is copied to the larger, into a schema that is
// made in a transaction which is always rolled back: so it needs no right that the owner of a database has not, no
// extension, no way from one database server to the other, and leaves nothing behind, not even where it is killed.

/** The look of this moment at a database. */
export type Look = { readonly home: Home; readonly snapshot: string };

type Table = {
  readonly context: ContextName;
  readonly name: string;
  readonly bytes: number;
  readonly columns: readonly string[];
  readonly types: readonly string[];
};

const COPIED_AT_ONCE = 5_000;
/** Text, where a context has a type of its own. A table in parts is as large as all of them. */
const TABLES = `
  SELECT spaces.nspname AS context, tables.relname AS name,
    coalesce((SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(tables.oid)), pg_relation_size(tables.oid))
      ::float8 AS bytes,
    array_agg(attname::text ORDER BY attnum) AS columns,
    array_agg(CASE WHEN type_spaces.nspname = 'pg_catalog' THEN format_type(atttypid, NULL) ELSE 'text' END
      ORDER BY attnum) AS types
  FROM pg_class AS tables JOIN pg_namespace AS spaces ON spaces.oid = tables.relnamespace
  JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
  JOIN pg_type ON pg_type.oid = atttypid JOIN pg_namespace AS type_spaces ON type_spaces.oid = typnamespace
  WHERE tables.relkind IN ('r', 'p') AND NOT tables.relispartition AND spaces.nspname = ANY ($1)
  GROUP BY tables.oid, spaces.nspname, tables.relname`;

/** Runs checks that need more than one of the databases looked at, in the order given. */
export async function runGathered(
  looks: readonly Look[],
  checks: readonly Check[],
  moment: CheckMoment,
): Promise<CheckOutcome[]> {
  const tables = (await Promise.all(looks.map(({ home }) => tablesOf(home)))).flat();
  const outcomes = new Map<string, CheckOutcome>();
  for (const look of looks) {
    const here = checks.filter((check) => hostOf(check, looks, tables) === look);
    if (here.length === 0) continue;
    for (const outcome of await runAt(look, looks, tables, here, moment)) outcomes.set(outcome.name, outcome);
  }
  return checks.flatMap(({ name }) => outcomes.get(name) ?? []);
}

async function tablesOf({ clients: [client], contexts }: Home): Promise<Table[]> {
  return (await client.query<Table>(TABLES, [contexts])).rows;
}

/** The database in which most of what a check reads stands already. */
function hostOf(check: Check, looks: readonly Look[], tables: readonly Table[]): Look | undefined {
  const read = tables.filter((table) => reads(check, table));
  const bytesAt = ({ home }: Look) =>
    read.filter(({ context }) => home.contexts.includes(context)).reduce((sum, { bytes }) => sum + bytes, 0);
  return looks.reduce((best, look) => (bytesAt(look) > bytesAt(best) ? look : best));
}

function reads({ sql }: Check, { context, name }: Table): boolean {
  return new RegExp(`\\b${context}\\.${name}\\b`).test(sql);
}

async function runAt(
  { home, snapshot }: Look,
  looks: readonly Look[],
  tables: readonly Table[],
  checks: readonly Check[],
  moment: CheckMoment,
): Promise<CheckOutcome[]> {
  const client = connectionTo(home.url);
  await client.connect();
  try {
    await joinLook(client, snapshot, 'READ WRITE');
    const prefix = `provender_verify_${randomBytes(6).toString('hex')}`;
    const text = checks.map(({ sql }) => sql).join('\n');
    const foreign = tables.filter(
      (table) => !home.contexts.includes(table.context) && checks.some((check) => reads(check, table)),
    );
    for (const context of CONTEXT_NAMES.filter((name) => foreign.some((table) => table.context === name))) {
      const from = looks.find((look) => look.home.contexts.includes(context))?.home.clients[0];
      if (from === undefined) throw new Error(`There is no database of ${context} to look at`);
      const schema = `${prefix}_${context}`;
      await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${AUDITOR_ROLE}`);
      for (const table of foreign.filter((each) => each.context === context)) {
        await copyTable(from, client, schema, onlyNamed(table, text));
      }
    }
    await client.query(`SET LOCAL ROLE ${AUDITOR_ROLE}`);
    const outcomes: CheckOutcome[] = [];
    for (const check of checks) {
      outcomes.push(await runCheck(client, { ...check, sql: redirected(check.sql, foreign, prefix) }, moment));
    }
    return outcomes;
  } finally {
    // Ends the transaction with the connection, whatever state it is in; nothing of it was ever committed.
    await client.query('ROLLBACK').catch(() => {});
    await client.end();
  }
}

/** A column that no check names is not copied. One is always left, since rows count too. */
function onlyNamed(table: Table, text: string): Table {
  const named = table.columns.map((column, index) => ({ column, type: table.types[index] ?? 'text' }));
  const used = named.filter(({ column }, index) => index === 0 || new RegExp(`\\b${column}\\b`).test(text));
  return { ...table, columns: used.map(({ column }) => column), types: used.map(({ type }) => type) };
}

/** The same statement over the copies: only the schemas of the copied tables are other ones. */
function redirected(sql: string, foreign: readonly Table[], prefix: string): string {
  return foreign.reduce(
    (text, { context, name }) =>
      text.replaceAll(new RegExp(`\\b${context}\\.${name}\\b`, 'g'), `${prefix}_${context}.${name}`),
    sql,
  );
}

async function copyTable(from: pg.Client, to: pg.Client, schema: string, table: Table): Promise<void> {
  const { columns, types, name, context } = table;
  const copy = `${schema}.${name}`;
  await to.query(`CREATE UNLOGGED TABLE ${copy} (${columns.map((column, at) => `${column} ${types[at]}`).join(', ')})`);
  await to.query(`GRANT SELECT ON ${copy} TO ${AUDITOR_ROLE}`);
  const insert = `INSERT INTO ${copy} SELECT ${columns.map((column, at) => `${column}::${types[at]}`).join(', ')}
    FROM unnest(${columns.map((_, at) => `$${at + 1}::text[]`).join(', ')}) AS copied (${columns.join(', ')})`;
  const texts = columns.map((column) => `${column}::text`).join(', ');
  await from.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${texts} FROM ${context}.${name}`);
  for (;;) {
    const text = `FETCH ${COPIED_AT_ONCE} FROM copied`;
    const { rows } = await from.query<(string | null)[]>({ text, rowMode: 'array' });
    if (rows.length > 0)
      await to.query(
        insert,
        columns.map((_, at) => rows.map((row) => row[at])),
      );
    if (rows.length < COPIED_AT_ONCE) break;
  }
  await from.query('CLOSE copied');
  await to.query(`ANALYZE ${copy}`);
}
