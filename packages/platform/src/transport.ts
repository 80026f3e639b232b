import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Database, Query } from './database.ts';
import type { CursorMove } from './event-log.ts';

/** What a transport hands to a consumer: the wanted events of a partition after its cursor, and how far it reaches. */
export type Delivery = {
  readonly source: ContextName;
  readonly partition: number;
  /** Only those of wanted types, in position order. */
  readonly events: readonly RecordedEvent[];
  /** The last position looked at, wanted or not: the cursor goes there, so that nothing is looked at twice. */
  readonly upTo: number;
};

/** Where a consumer stands in each partition that it owns, by `source/partition`. */
export type Cursors = ReadonlyMap<string, number>;

export type Consumer = {
  readonly context: ContextName;
  /** Event types wanted, by the context that says them. */
  readonly wanted: ReadonlyMap<ContextName, ReadonlySet<string>>;
  /** The consumer's own connection. */
  readonly query: Query;
  /** Called when there may be something to fetch. May be called too often, never too seldom for longer than a poll. */
  wake(): void;
};

/** A partition of a source's log, and how many it has. */
export type SourcePartition = { readonly source: ContextName; readonly partition: number; readonly of: number };

export type Subscription = {
  /** The partitions of each source that this consumer reads now: the same array for as long as they are the same. */
  partitions(): readonly SourcePartition[];
  /**
   * What has come after the cursors, at most `eventsMax` events a partition, without waiting for more.
   * `thorough` asks the source itself, whatever this process believes: the slow poll as the truth.
   */
  fetch(cursors: Cursors, eventsMax: number, thorough: boolean): Promise<readonly Delivery[]>;
  /** Told when the database has the cursors there. */
  consumed?(moves: readonly CursorMove[]): void;
  /**
   * How many events of each source all processes of the context have yet to consume, where only the transport knows.
   */
  lag?(): Promise<ReadonlyMap<ContextName, number>>;
  close(): Promise<void>;
};

/** The log of a context that runs in this process. */
export type OwnLog = {
  readonly context: ContextName;
  /** A connection of the transport's own, as the context's role; it closes it. */
  readonly open: () => Database;
};

/** How far a log has been carried: where each partition ends, of all that was said up to a position. */
export type Carried = {
  readonly position: number;
  readonly ends: readonly { readonly partition: number; readonly position: number }[];
};

/** A log on its way out of the database. */
export type Carrying = {
  carried(query: Query): Promise<Carried>;
  close(): Promise<void>;
};

/**
 * Carries the logs of contexts to consumers. Every transport passes the suite in `test/transport-contract.ts`:
 * order per key and subject, at least once with a position that makes it exactly once, no loss.
 */
export type Transport = {
  /**
   * Whether one process at a time consumes for a context, behind a lock, or its processes share the partitions. In both
   * the cursors refuse whoever is no longer the consumer.
   */
  readonly consumers: 'one' | 'shared';
  /** The partition of a source's log in which that key is; undefined while this process does not know. */
  partitionOf(source: ContextName, key: string): number | undefined;
  /** Begins to carry a log out of the database, where consumers do not read it there. */
  carry?(log: OwnLog): Carrying;
  subscribe(consumer: Consumer): Promise<Subscription>;
  /** Told after each commit of this process, in no guaranteed order. */
  committed(context: ContextName, events: readonly RecordedEvent[]): void;
  /** What was heard of commits may be untrue: the database has broken. Everything is read again from it. */
  distrust(): void;
  close(): Promise<void>;
};

export function cursorKey(source: ContextName, partition: number): string {
  return `${source}/${partition}`;
}
