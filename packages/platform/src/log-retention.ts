import type { ContextName } from '@provender/contracts';
import { formatInstant, type Instant, instant } from '@provender/kernel';
import pg from 'pg';

/** What became of one part of a log: `reason` says why it was kept. */
export type LogPartition = {
  readonly name: string;
  /** Positions of its first event and of the one after its last. */
  readonly from: number;
  readonly to: number;
  readonly dropped: boolean;
  readonly reason?: string;
};

export type Retention = {
  readonly context: ContextName;
  /** A part of the log goes only where even its newest event is older than this moment of business time. */
  readonly before: Instant;
};

type Part = { readonly name: string; readonly from: string; readonly to: string };
type Cursor = { readonly consumer: string; readonly position: number };

/** Dropping a part locks out all who read or write the log, so it gives up rather than let them queue up behind it. */
const LOCK_TIMEOUT_MILLISECONDS = 2_000;

const PARTS = `
  SELECT child.relname AS name, bound[1] AS from, bound[2] AS to
  FROM pg_inherits
  JOIN pg_class AS child ON child.oid = inhrelid,
  regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \\(''?(\\d+)''?\\) TO \\(''?(\\d+)''?\\)') AS bound
  WHERE inhparent = to_regclass($1) ORDER BY bound[1]::bigint`;
const SCHEMAS_WITH_CURSORS = `
  SELECT nspname AS schema FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relname = 'cursors' AND relkind = 'r' ORDER BY nspname`;

/**
 * Drops the parts of a context's log that nobody needs: full ones, whose newest event is older than `before`, and which
 * every consumer in this database has passed. Runs as the owner of the schemas. Gives each part with what became of it.
 * Consumers in other databases are not known here: the operator answers for them.
 */
export async function dropLogPartitions(ownerUrl: string, retention: Retention): Promise<readonly LogPartition[]> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'provender log retention' });
  await client.connect();
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MILLISECONDS}`);
    const head = await headOf(client, retention.context);
    const cursors = await cursorsOn(client, retention.context);
    const { rows: parts } = await client.query<Part>(PARTS, [`${retention.context}.outbox`]);
    const outcomes: LogPartition[] = [];
    for (const { name, from, to } of parts) {
      const part = { name, from: Number(from), to: Number(to) };
      const reason =
        (await reasonToKeep(client, retention, part, head, cursors)) ?? (await drop(client, retention, name));
      outcomes.push(reason === undefined ? { ...part, dropped: true } : { ...part, dropped: false, reason });
    }
    return outcomes;
  } finally {
    await client.end();
  }
}

async function headOf(client: pg.Client, context: ContextName): Promise<number> {
  const { rows } = await client.query<{ position: string }>(`SELECT position FROM ${context}.outbox_head`);
  return Number(rows[0]?.position ?? 0);
}

/** Where every consumer of that log in this database stands. */
async function cursorsOn(client: pg.Client, context: ContextName): Promise<readonly Cursor[]> {
  const { rows: schemas } = await client.query<{ schema: string }>(SCHEMAS_WITH_CURSORS);
  const cursors: Cursor[] = [];
  for (const { schema } of schemas) {
    const text = `SELECT position FROM ${client.escapeIdentifier(schema)}.cursors WHERE source = $1`;
    const { rows } = await client.query<{ position: string }>(text, [context]);
    for (const row of rows) cursors.push({ consumer: schema, position: Number(row.position) });
  }
  return cursors;
}

async function reasonToKeep(
  client: pg.Client,
  { context, before }: Retention,
  { name, to }: { readonly name: string; readonly to: number },
  head: number,
  cursors: readonly Cursor[],
): Promise<string | undefined> {
  if (head < to - 1) return `it is not full: the log has come to ${head}`;
  const behind = cursors.filter(({ position }) => position < to - 1);
  if (behind.length > 0) {
    const who = behind.map(({ consumer, position }) => `${consumer} (at ${position})`).join(', ');
    return `not everybody has consumed it: ${who}`;
  }
  const text = `SELECT time FROM ${context}.${client.escapeIdentifier(name)} ORDER BY position DESC LIMIT 1`;
  const { rows } = await client.query<{ time: Date }>(text);
  const newest = rows[0] === undefined ? undefined : instant(rows[0].time.getTime());
  if (newest !== undefined && newest >= before) return `its newest event is of ${formatInstant(newest)}`;
  return undefined;
}

async function drop(client: pg.Client, { context }: Retention, name: string): Promise<string | undefined> {
  try {
    await client.query(`DROP TABLE ${context}.${client.escapeIdentifier(name)}`);
    return undefined;
  } catch (error) {
    return `the database refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}
