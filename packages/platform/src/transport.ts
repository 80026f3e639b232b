import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Query } from './database.ts';

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

export type Subscription = {
  /** The partitions of each source that this consumer reads now. */
  partitions(): readonly { readonly source: ContextName; readonly partition: number }[];
  /**
   * What has come after the cursors, at most `eventsMax` events a partition, without waiting for more.
   * `thorough` asks the source itself, whatever this process believes: the slow poll as the truth.
   */
  fetch(cursors: Cursors, eventsMax: number, thorough: boolean): Promise<readonly Delivery[]>;
  close(): Promise<void>;
};

/**
 * Carries the logs of contexts to consumers. Every transport passes the suite in `test/transport-contract.ts`:
 * order per key and subject, at least once with a position that makes it exactly once, no loss.
 */
export type Transport = {
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
