import type { MessageToProduce } from '@platformatic/kafka';
import { type CarriedEvent, headersOf } from './envelope.ts';
import type { PartitionEnd } from './relay-store.ts';

/** One request to the broker: as much as has come meanwhile, well below what a broker takes in one (1 MB). */
export const CARRIED_EVENTS_MAX = 500;
const CARRIED_BYTES_MAX = 512 * 1024;

/** What goes to the broker in one request, and where the partitions end after it. */
export type CarriedBatch = {
  readonly messages: readonly MessageToProduce[];
  /** The position of its last event. */
  readonly position: number;
  /** The ends that it moves; where their partitions end in the topic, the broker's answer says. */
  readonly ends: ReadonlyMap<number, PartitionEnd>;
  /** How many of its records go into each partition. */
  readonly counts: ReadonlyMap<number, number>;
};

/** Puts events into records, each with a link to the one before it in its partition, as far as the bytes reach. */
export function carriedBatch(
  topic: string,
  events: readonly CarriedEvent[],
  partitionOf: (key: string) => number,
  endsBefore: readonly PartitionEnd[],
): CarriedBatch {
  const messages: MessageToProduce[] = [];
  const ends = new Map<number, PartitionEnd>();
  const counts = new Map<number, number>();
  let bytes = 0;
  let position = 0;
  for (const event of events) {
    bytes += event.data.length;
    if (messages.length > 0 && bytes > CARRIED_BYTES_MAX) break;
    const partition = partitionOf(event.key);
    const end = ends.get(partition) ?? endsBefore[partition];
    const headers = headersOf(event, {
      position: event.position,
      after: end?.position ?? 0,
      begins: end?.begins ?? false,
    });
    messages.push({ topic, partition, key: Buffer.from(event.key), value: Buffer.from(event.data), headers });
    ends.set(partition, { partition, position: event.position, begins: false, nextOffset: end?.nextOffset ?? 0 });
    counts.set(partition, (counts.get(partition) ?? 0) + 1);
    position = event.position;
  }
  return { messages, position, ends, counts };
}
