import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type Query, type Statement, statement } from './database.ts';
import type { RunningContext } from './running-context.ts';

/** How far a consumer has come in one log, and how far that log goes. In partitions, the furthest of them counts. */
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

const FURTHEST = statement(
  'furthest-cursors',
  'SELECT source, max(position) AS position FROM cursors GROUP BY source ORDER BY source',
);

/** Where a consumer stands in each log that it listens to: by the logs themselves, or as the transport says. */
export async function consumerPositions({
  db,
  reactor,
}: Pick<RunningContext, 'db' | 'reactor'>): Promise<ConsumerPosition[]> {
  const lag = await reactor.lag();
  return lag === undefined ? positionsByLogs(db, reactor.sources) : positionsByLag(db, reactor.sources, lag);
}

function positionsByLogs(query: Query, sources: readonly ContextName[]): Promise<ConsumerPosition[]> {
  return Promise.all(
    sources.map(async (source) => {
      const [row] = await query.query<{ position: number; head: number }>(READ_POSITION[source]);
      return { source, position: row?.position ?? 0, head: row?.head ?? 0 };
    }),
  );
}

async function positionsByLag(
  query: Query,
  sources: readonly ContextName[],
  lag: ReadonlyMap<ContextName, number>,
): Promise<ConsumerPosition[]> {
  const furthest = await query.query<{ source: ContextName; position: number }>(FURTHEST);
  return sources.map((source) => {
    const position = furthest.find((row) => row.source === source)?.position ?? 0;
    return { source, position, head: position + (lag.get(source) ?? 0) };
  });
}

const HEARD = statement('has-heard', 'SELECT EXISTS (SELECT FROM cursors WHERE position > 0) AS heard');

/** Whether the consumer behind this connection has ever consumed anything. */
export async function hasHeard(query: Query): Promise<boolean> {
  const [row] = await query.query<{ heard: boolean }>(HEARD);
  return row?.heard === true;
}
