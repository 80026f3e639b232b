import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type Query, type Statement, statement } from './database.ts';

/** How far a consumer has come in one log, and how far that log goes. */
export type ConsumerPosition = { readonly source: ContextName; readonly position: number; readonly head: number };

const READ_POSITION = Object.fromEntries(
  CONTEXT_NAMES.map((source) => [
    source,
    statement(
      `consumer-position-${source}`,
      `SELECT coalesce(min(cursors.position), 0) AS position, (SELECT position FROM ${source}.outbox_head) AS head
       FROM cursors WHERE source = '${source}'`,
    ),
  ]),
) as Record<ContextName, Statement>;

/** Where the consumer behind this connection stands in each of these logs, which must be in the same database. */
export function consumerPositions(query: Query, sources: readonly ContextName[]): Promise<ConsumerPosition[]> {
  return Promise.all(
    sources.map(async (source) => {
      const [row] = await query.query<{ position: number; head: number }>(READ_POSITION[source]);
      return { source, position: row?.position ?? 0, head: row?.head ?? 0 };
    }),
  );
}

const HEARD = statement('has-heard', 'SELECT EXISTS (SELECT FROM cursors WHERE position > 0) AS heard');

/** Whether the consumer behind this connection has ever consumed anything. */
export async function hasHeard(query: Query): Promise<boolean> {
  const [row] = await query.query<{ heard: boolean }>(HEARD);
  return row?.heard === true;
}
