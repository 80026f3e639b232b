import type { ContextName } from '@provender/contracts';
import pg from 'pg';
import type { Statement } from './database.ts';

/** What is made of events alone: of the logs of these contexts, and what forgets it. */
export type MadeOfEvents = { readonly sources: readonly ContextName[]; readonly forget: Statement };

/**
 * Lets a context consume logs from their first event on, after it has forgotten what it had made of them, in one
 * transaction. The loop of a running process learns of it by losing its connection. Refuses where a log that stands in
 * the same database has lost its beginning. Gives how many cursors were set back.
 */
export async function consumeAnew(
  url: string,
  context: ContextName,
  { sources, forget }: MadeOfEvents,
): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: 'provender consume-anew' });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL search_path = ${context}`);
    // The cursors first: whoever consumes holds them until it commits, and finds them moved afterwards.
    const { rows: cursors } = await client.query<{ source: string }>(
      'UPDATE cursors SET position = 0, epoch = epoch + 1 WHERE source = ANY($1) RETURNING source',
      [sources],
    );
    for (const source of new Set(cursors.map((cursor) => cursor.source))) await refuseTrimmed(client, source);
    await client.query(forget.text);
    await client.query('COMMIT');
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1`,
      [`provender ${context} loop`],
    );
    return cursors.length;
  } finally {
    await client.end();
  }
}

async function refuseTrimmed(client: pg.Client, source: string): Promise<void> {
  const outbox = `${client.escapeIdentifier(source)}.outbox`;
  const { rows: there } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    outbox,
  ]);
  if (there[0]?.there !== true) return;
  const { rows } = await client.query<{ first: string }>(
    `SELECT coalesce((SELECT min(position) FROM ${outbox}), position + 1) AS first FROM ${outbox}_head`,
  );
  const first = Number(rows[0]?.first ?? 1);
  if (first > 1) {
    throw new Error(`The log of ${source} begins at event ${first}: what was said before cannot be heard again.`);
  }
}
