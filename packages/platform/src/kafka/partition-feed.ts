import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Delivery } from '../transport.ts';
import { eventOf, linkOf, type ReceivedRecord, typeOf } from './envelope.ts';

/** What one partition keeps ready for its consumer; beyond that nothing is fetched until some of it is consumed. */
const ENTRIES_MAX = 2_000;

/** Where reading goes on: where the group has left off, at the beginning of the topic, or at an offset. */
export type Seek = 'committed' | 'earliest' | bigint;

/** A record with its place in the topic. */
export type PlacedRecord = { readonly offset: bigint; readonly record: ReceivedRecord };

/** A stretch of the chain, from after one position up to another: one wanted event, or several unwanted ones. */
type Entry = {
  readonly after: number;
  position: number;
  nextOffset: bigint;
  readonly event?: RecordedEvent;
};

export type FeedOptions = {
  readonly source: ContextName;
  readonly partition: number;
  readonly wanted: ReadonlySet<string>;
  /** Says that something is missing in the topic, and when it has come. */
  readonly onGap: (gap: Gap | undefined) => void;
  readonly onForeign: (offset: bigint) => void;
};

/** What a consumer misses: it has come to one position, and the next record says that another one came before it. */
export type Gap = { readonly reached: number; readonly after: number; readonly next: number };

/**
 * One partition of one source as its consumer reads it: follows the chain of positions, passes over what has come
 * before, and gives nothing where something is missing. What was taken stays until the database has the cursor past it.
 */
export type PartitionFeed = {
  readonly source: ContextName;
  readonly partition: number;
  /** Where to read on, or undefined while its consumer has not said where it stands. */
  seek(): Seek | undefined;
  seekTo(offset: Seek): void;
  /** How much of it is kept ready. */
  size(): number;
  isFull(): boolean;
  /** Where the consumer stands; what is kept is put right where the two do not fit. */
  standsAt(cursor: number): void;
  /** What comes after the cursor, as far as it is here. */
  take(cursor: number, eventsMax: number): Delivery | undefined;
  /** Takes records in the order of the topic. True where there is something new to take. */
  receive(records: readonly PlacedRecord[]): boolean;
  /** The database has the cursor there. Gives the offset up to which nothing of the topic is needed any more. */
  consumed(position: number): bigint | undefined;
};

export function openFeed({ source, partition, wanted, onGap, onForeign }: FeedOptions): PartitionFeed {
  let entries: Entry[] = [];
  /** Where the chain stands: the last position that is here, or the cursor. Undefined before the consumer has said. */
  let tip: number | undefined;
  let seek: Seek = 'committed';
  /** Since the chain last held, the topic has been read from its beginning. */
  let isFromStart = false;
  let gap: Gap | undefined;

  function restart(cursor: number, from: Seek): void {
    entries = [];
    tip = cursor;
    seek = from;
    isFromStart = from === 'earliest';
  }

  function passOver(position: number, nextOffset: bigint): void {
    const last = entries.at(-1);
    if (last === undefined || last.event !== undefined) entries.push({ after: tip ?? 0, position, nextOffset });
    else Object.assign(last, { position, nextOffset });
  }

  function follows(reached: number, after: number, begins: boolean): boolean {
    return after <= reached || (reached === 0 && begins && isFromStart);
  }

  /** Takes one record; false where reading must go on elsewhere. */
  function receiveOne({ offset, record }: PlacedRecord, reached: number): boolean {
    const nextOffset = offset + 1n;
    seek = nextOffset;
    const link = linkOf(record);
    if (link === undefined) {
      onForeign(offset);
      return true;
    }
    const last = entries.at(-1);
    if (link.position <= reached) {
      if (last !== undefined) last.nextOffset = nextOffset;
      return true;
    }
    if (!follows(reached, link.after, link.begins)) {
      if (!isFromStart) {
        seek = 'earliest';
        isFromStart = true;
        return false;
      }
      // Said once: what follows is missing it as well.
      if (gap === undefined) onGap((gap = { reached, after: link.after, next: link.position }));
      return true;
    }
    if (gap !== undefined) onGap(undefined);
    gap = undefined;
    isFromStart = false;
    const type = typeOf(record);
    const event = type === '' || wanted.has(type) ? eventOf(source, link.position, record) : undefined;
    if (event === undefined) passOver(link.position, nextOffset);
    else entries.push({ after: reached, position: link.position, nextOffset, event });
    tip = link.position;
    return true;
  }

  return {
    source,
    partition,
    seek: () => (tip === undefined ? undefined : seek),
    seekTo(offset) {
      seek = offset;
      if (offset === 'earliest') isFromStart = true;
    },
    size: () => entries.length,
    isFull: () => entries.length >= ENTRIES_MAX,
    standsAt(cursor) {
      if (tip === undefined) return restart(cursor, 'committed');
      // The consumer has gone back: somebody has set its cursor, or the database has lost its last commits.
      if (cursor < (entries[0]?.after ?? tip)) return restart(cursor, 'earliest');
      // Somebody else has consumed all that is here, and more.
      if (cursor > tip) {
        entries = [];
        tip = cursor;
      }
    },
    take(cursor, eventsMax) {
      const events: RecordedEvent[] = [];
      let upTo = cursor;
      for (const entry of entries) {
        if (entry.position <= cursor) continue;
        if (entry.event !== undefined) {
          if (events.length === eventsMax) break;
          events.push(entry.event);
        }
        upTo = entry.position;
      }
      return upTo > cursor ? { source, partition, events, upTo } : undefined;
    },
    receive(records) {
      const before = tip;
      for (const record of records) if (tip !== undefined && !receiveOne(record, tip)) break;
      return tip !== before;
    },
    consumed(position) {
      const first = entries.findIndex((entry) => entry.position > position);
      const gone = entries.splice(0, first < 0 ? entries.length : first);
      return gone.at(-1)?.nextOffset;
    },
  };
}
