import type { ContextName } from '@provender/contracts';
import type { CursorMove } from '../event-log.ts';
import {
  type Consumer,
  cursorKey,
  type Cursors,
  type Delivery,
  type SourcePartition,
  type Subscription,
} from '../transport.ts';
import { closeInTime, type KafkaPlace } from './client.ts';
import { openFetcher, type Reading } from './fetcher.ts';
import { type Assigned, openMembership } from './membership.ts';
import { type Gap, openFeed } from './partition-feed.ts';
import type { Topics } from './topics.ts';

/** Offsets only say where to seek: they are noted now and then, after the transactions that they follow. */
const COMMIT_OFFSETS_MILLISECONDS = 1_000;

export type SubscriptionOptions = {
  readonly place: KafkaPlace;
  readonly topics: Topics;
  readonly consumer: Consumer;
  readonly sessionMilliseconds: number;
};

/** Nothing is wrong with the request: it may be sent again later. */
class KafkaAway extends Error {
  readonly code = 'ECONNREFUSED';
}

type Offset = { readonly topic: string; readonly partition: number; readonly offset: bigint };

/** One process as a consumer of its context: the partitions that the group gives it, read ahead into memory. */
export function openSubscription({ place, topics, consumer, sessionMilliseconds }: SubscriptionOptions): Subscription {
  const sources = [...consumer.wanted.keys()];
  const sourceOf = new Map(sources.map((source) => [topics.nameOf(source), source]));
  const topicNames = [...sourceOf.keys()];
  const groupId = `${place.groupPrefix ?? place.topicPrefix}${consumer.context}`;
  const offsets = new Map<string, Offset>();
  let readings = new Map<string, Reading>();
  let partitions: readonly SourcePartition[] = [];
  let firstRead = 0;

  const membership = openMembership({
    place,
    groupId,
    topics: topicNames,
    sessionMilliseconds,
    ready: () => topics.ensure(sources),
    onAssigned: assign,
  });
  const fetcher = openFetcher({
    place,
    groupId,
    topics: topicNames,
    readings: () => [...readings.values()],
    committedOffsets: membership.committedOffsets,
    onReceived: consumer.wake,
    onTopicLost: () => {
      topics.forget();
      // It is made anew where it has gone, with what the log has after `republish`.
      topics.ensure(sources).catch(() => {});
    },
  });
  const committing = setInterval(() => void commitOffsets(), COMMIT_OFFSETS_MILLISECONDS);

  function assign(assigned: Assigned): void {
    const kept = new Map<string, Reading>();
    for (const { topic, partition } of assigned) {
      const source = sourceOf.get(topic);
      if (source === undefined) continue;
      const key = cursorKey(source, partition);
      kept.set(key, readings.get(key) ?? openReading(topic, source, partition));
    }
    readings = kept;
    for (const key of offsets.keys()) if (!kept.has(key)) offsets.delete(key);
    partitions = [...kept.values()].map(({ feed: { source, partition } }) => ({
      ...{ source, partition },
      of: topics.partitionsOf(source) ?? place.partitions,
    }));
    consumer.wake();
  }

  function openReading(topic: string, source: ContextName, partition: number): Reading {
    const fields = { context: consumer.context, topic, partition };
    const feed = openFeed({
      source,
      partition,
      wanted: consumer.wanted.get(source) ?? new Set(),
      onGap(gap) {
        if (gap === undefined) place.log.info(fields, `What was missing in the topic ${topic} has come`);
        else place.log.error({ ...fields, ...gap }, gapMessage(topic, source, gap));
      },
      onForeign: (offset) =>
        place.log.error(
          { ...fields, offset: String(offset) },
          `The topic ${topic} has a record that is not of its log`,
        ),
    });
    return { topic, feed };
  }

  async function commitOffsets(): Promise<void> {
    const due = [...offsets.entries()];
    if (due.length === 0) return;
    offsets.clear();
    await membership.commitOffsets(due.map(([, offset]) => offset)).catch(() => {
      for (const [key, offset] of due) if (readings.has(key) && !offsets.has(key)) offsets.set(key, offset);
    });
  }

  /** How many records of a topic the group has not noted as consumed. */
  async function lagOf(source: ContextName): Promise<number> {
    const counts = await topics.ensure([source]);
    const ends = await topics.endsOf(source, counts.get(source) ?? 0);
    const committed = await membership.committedOffsets(topics.nameOf(source), [...ends.keys()]);
    return ends.reduce((sum, end, partition) => {
      return sum + Math.max(0, end - Math.max(0, Number(committed.get(partition) ?? 0)));
    }, 0);
  }

  /** What is ready of one source, of all its partitions together no more than a set may have. */
  function take(cursors: Cursors, eventsMax: number, of: readonly (readonly [string, Reading])[]): Delivery[] {
    const deliveries: Delivery[] = [];
    let room = eventsMax;
    for (const [key, { feed }] of of) {
      const cursor = cursors.get(key);
      if (cursor === undefined) continue;
      // A feed that learns where its consumer stands is to be read on, and so is one that will have room again.
      if (feed.seek() === undefined || feed.isFull()) fetcher.wake();
      feed.standsAt(cursor);
      const delivery = feed.take(cursor, room);
      if (delivery === undefined) continue;
      room -= delivery.events.length;
      deliveries.push(delivery);
    }
    return deliveries;
  }

  return {
    partitions: () => partitions,
    async fetch(cursors, eventsMax) {
      const all = [...readings.entries()];
      // Each partition is the first in its turn, so that a busy one leaves room for the others.
      firstRead = all.length === 0 ? 0 : (firstRead + 1) % all.length;
      const inTurn = [...all.slice(firstRead), ...all.slice(0, firstRead)];
      const deliveries = sources.flatMap((source) => {
        return take(
          cursors,
          eventsMax,
          inTurn.filter(([, { feed }]) => feed.source === source),
        );
      });
      return deliveries;
    },
    consumed(moves: readonly CursorMove[]) {
      for (const { source, partition, after } of moves) {
        const key = cursorKey(source, partition);
        const reading = readings.get(key);
        const offset = reading?.feed.consumed(after);
        if (reading !== undefined && offset !== undefined)
          offsets.set(key, { topic: reading.topic, partition, offset });
      }
    },
    async lag() {
      const behind = new Map<ContextName, number>();
      try {
        for (const source of sources) behind.set(source, await lagOf(source));
      } catch (error) {
        throw new KafkaAway('Kafka could not be asked how far the consumers are behind', { cause: error });
      }
      return behind;
    },
    async close() {
      clearInterval(committing);
      await closeInTime(commitOffsets);
      await Promise.all([fetcher.close(), membership.close()]);
    },
  };
}

function gapMessage(topic: string, source: ContextName, { reached, after, next }: Gap): string {
  const missing = `what came after position ${reached}, up to ${after}`;
  return (
    `The topic ${topic} has an event at position ${next} but lacks ${missing}. Nothing more is consumed of this ` +
    `partition until it has come: npm run provender -- republish ${source} --from ${reached + 1}`
  );
}
