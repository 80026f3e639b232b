import { CONTEXT_NAMES, type ContextName, type RecordedEvent } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { Announcer } from './announcer.ts';
import { type Query, type Statement, statement } from './database.ts';
import { LogTail } from './log-tail.ts';
import { type Consumer, cursorKey, type Delivery, type Subscription, type Transport } from './transport.ts';

/** Unwanted events come without their data: only their position is needed, to get past them. */
const READ_LOG = Object.fromEntries(
  CONTEXT_NAMES.map((source) => [
    source,
    statement(
      `read-log-${source}`,
      `SELECT position, id, type, key, subject, time, traceparent,
              CASE WHEN type = ANY($3) THEN data END AS data
       FROM ${source}.outbox WHERE position > $1 ORDER BY position LIMIT $2`,
    ),
  ]),
) as Record<ContextName, Statement>;

type LogRow = Omit<RecordedEvent, 'source' | 'time' | 'traceparent'> & { time: Instant; traceparent: string | null };

/** Reads a log from the table of its context, in position order. */
export async function readLog(
  query: Query,
  source: ContextName,
  after: number,
  eventsMax: number,
  types: readonly string[],
): Promise<RecordedEvent[]> {
  const rows = await query.query<LogRow>(READ_LOG[source], [after, eventsMax, types]);
  return rows.map(({ time, traceparent, ...row }) => ({
    ...row,
    source,
    time: formatInstant(time),
    ...(traceparent === null ? {} : { traceparent }),
  }));
}

/** Positions have no gaps: where one shows, part of the log was dropped before this consumer had come so far. */
function refuseGap(source: ContextName, after: number, events: readonly RecordedEvent[]): void {
  const first = events[0]?.position;
  if (first === undefined || first === after + 1 || after === 0) return;
  throw new Error(`The log of ${source} begins at ${first}, and this consumer has only come to ${after}`);
}

export type PostgresTransportOptions = {
  /** Belongs to the transport, which closes it. Without one, only this process's commits and the poll wake. */
  readonly announcer?: Announcer;
};

/** Who else may have written: only this process (its tail knows all), or others too (only the table knows). */
type Suspicion = 'local' | 'remote';

/** Contexts in one database read each other's logs directly: memory first, the table as the truth. */
export function postgresTransport({ announcer }: PostgresTransportOptions = {}): Transport {
  const tails = new Map<ContextName, LogTail>(CONTEXT_NAMES.map((name) => [name, new LogTail()]));
  const readers = new Map<Consumer, Map<ContextName, Suspicion>>();
  announcer?.onHeard((source) => wake(source, 'remote'));

  /** Without `events`, nobody knows what was said. A consumer is not woken for what it does not want. */
  function wake(source: ContextName, suspicion: Suspicion, events?: readonly RecordedEvent[]): void {
    for (const [consumer, suspected] of readers) {
      const types = consumer.wanted.get(source);
      if (types === undefined) continue;
      if (suspected.get(source) !== 'remote') suspected.set(source, suspicion);
      if (events === undefined || events.some((event) => types.has(event.type))) consumer.wake();
    }
  }

  /** Takes what the tail has; asks the table where the tail does not reach or may not know all. */
  async function next(consumer: Consumer, source: ContextName, after: number, eventsMax: number) {
    const suspected = readers.get(consumer);
    const suspicion = suspected?.get(source);
    if (suspected === undefined || suspicion === undefined) return [];
    const known = tails.get(source)?.after(after, eventsMax);
    if (known !== undefined && (known.length > 0 || suspicion === 'local')) {
      if (known.length < eventsMax && suspicion === 'local') suspected.delete(source);
      return known;
    }
    // Before the read, so that a commit during it is not forgotten.
    suspected.delete(source);
    const types = [...(consumer.wanted.get(source) ?? [])];
    const events = await readLog(consumer.query, source, after, eventsMax, types);
    refuseGap(source, after, events);
    if (events.length === eventsMax) suspected.set(source, 'remote');
    return events;
  }

  return {
    consumers: 'one',
    partitionOf: () => 0,
    async subscribe(consumer): Promise<Subscription> {
      const sources = [...consumer.wanted.keys()];
      const suspected = new Map<ContextName, Suspicion>();
      readers.set(consumer, suspected);
      const partitions = sources.map((source) => ({ source, partition: 0, of: 1 }));
      return {
        partitions: () => partitions,
        async fetch(cursors, eventsMax, thorough) {
          if (thorough) for (const source of sources) suspected.set(source, 'remote');
          const deliveries: Delivery[] = [];
          for (const source of sources) {
            const after = cursors.get(cursorKey(source, 0));
            if (after === undefined) continue;
            const events = await next(consumer, source, after, eventsMax);
            const upTo = events.at(-1)?.position;
            if (upTo === undefined) continue;
            const types = consumer.wanted.get(source);
            const wanted = events.filter((event) => types?.has(event.type));
            deliveries.push({ source, partition: 0, events: wanted, upTo });
          }
          return deliveries;
        },
        close: async () => void readers.delete(consumer),
      };
    },
    committed(context, events) {
      tails.get(context)?.push(events);
      wake(context, 'local', events);
      announcer?.tell(context);
    },
    distrust() {
      for (const tail of tails.values()) tail.clear();
    },
    close: async () => announcer?.close(),
  };
}
