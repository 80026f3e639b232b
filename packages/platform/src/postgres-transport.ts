import { CONTEXT_NAMES, type ContextName, type RecordedEvent } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { Announcer } from './announcer.ts';
import { type Query, type Statement, statement } from './database.ts';
import { type Consumer, cursorKey, type Delivery, type Subscription, type Transport } from './transport.ts';

/**
 * How many just-committed events of a log a process keeps in memory for its own consumers: twenty of the largest sets.
 * Who is further behind reads the table, which is as fast; more would only be work for the garbage collector.
 */
const TAIL_EVENTS_MAX = 4_000;

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

/** The latest events of one log, without a gap. */
class Tail {
  #events: RecordedEvent[] = [];

  push(events: readonly RecordedEvent[]): void {
    const first = events[0];
    if (first === undefined) return;
    const last = this.#events.at(-1);
    // A gap means that another process appended in between; a step back, that an earlier commit was heard of late.
    if (last !== undefined && first.position <= last.position) return;
    if (last !== undefined && first.position > last.position + 1) this.#events = [];
    for (const event of events) this.#events.push(event);
    if (this.#events.length > 2 * TAIL_EVENTS_MAX) this.#events = this.#events.slice(-TAIL_EVENTS_MAX);
  }

  /** The events after a position, or undefined where the table must be asked. */
  after(position: number, eventsMax: number): readonly RecordedEvent[] | undefined {
    const first = this.#events[0];
    if (first === undefined || position < first.position - 1) return undefined;
    const start = position - first.position + 1;
    return this.#events.slice(start, start + eventsMax);
  }

  clear(): void {
    this.#events = [];
  }
}

export type PostgresTransportOptions = {
  /** Belongs to the transport, which closes it. Without one, only this process's commits and the poll wake. */
  readonly announcer?: Announcer;
};

/** Who else may have written: only this process (its tail knows all), or others too (only the table knows). */
type Suspicion = 'local' | 'remote';

/** Contexts in one database read each other's logs directly: memory first, the table as the truth. */
export function postgresTransport({ announcer }: PostgresTransportOptions = {}): Transport {
  const tails = new Map<ContextName, Tail>(CONTEXT_NAMES.map((name) => [name, new Tail()]));
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
    async subscribe(consumer): Promise<Subscription> {
      const sources = [...consumer.wanted.keys()];
      const suspected = new Map<ContextName, Suspicion>();
      readers.set(consumer, suspected);
      return {
        partitions: () => sources.map((source) => ({ source, partition: 0 })),
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
