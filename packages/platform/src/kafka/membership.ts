import { setTimeout as wait } from 'node:timers/promises';
import { Consumer, type GroupAssignment } from '@platformatic/kafka';
import { openBell } from '../bell.ts';
import { clientOptions, closeInTime, type KafkaPlace, openFailures } from './client.ts';
import { ownedAsMetadata, stickyAssigner } from './sticky-assigner.ts';

export type Assigned = readonly { readonly topic: string; readonly partition: number }[];

export type MembershipOptions = {
  readonly place: KafkaPlace;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** After so long without a sign of life the group gives a member's partitions to the others. */
  readonly sessionMilliseconds: number;
  /** Waited for before each attempt to join: the topics must be there. */
  readonly ready: () => Promise<unknown>;
  /** The partitions that are this member's now. */
  readonly onAssigned: (partitions: Assigned) => void;
};

export type Membership = {
  /** The offsets that the group has noted, by partition, for whoever gets it next; -1 where none is. */
  committedOffsets(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>>;
  /** Notes offsets; it may fail, since they only say where to seek. */
  commitOffsets(offsets: readonly { topic: string; partition: number; offset: bigint }[]): Promise<void>;
  close(): Promise<void>;
};

const WATCH_MILLISECONDS = 500;
const HEARTBEAT_MILLISECONDS_MAX = 1_000;
/** A request to join waits for the other members, as long as a session, before it is answered. */
const ANSWER_MILLISECONDS = 5_000;
const JOIN_RETRIES_MAX = 2;
const JOIN_PAUSE_MILLISECONDS = 200;
/** The name under which members agree how to assign: all that share a group must do it alike. */
const PROTOCOL = 'provender-sticky';

/**
 * Takes part in a consumer group for as long as it is open, and begins anew whenever that has failed. It only shares
 * the work: that nobody does another's is the cursors' business.
 */
export function openMembership(options: MembershipOptions): Membership {
  const { place, groupId, topics, sessionMilliseconds, ready, onAssigned } = options;
  const failures = openFailures(place.log, { groupId }, `The consumer group ${groupId} cannot be joined`);
  const bell = openBell();
  let owned: readonly GroupAssignment[] = [];
  let current: Consumer | undefined;
  let closing = false;
  const running = loop();

  async function loop(): Promise<void> {
    while (!closing) {
      const consumer = openConsumer();
      current = consumer;
      let pause = 0;
      try {
        await takePart(consumer);
      } catch (error) {
        pause = failures.note(error);
      }
      current = undefined;
      onAssigned([]);
      await closeInTime(() => consumer.close(true));
      if (!closing) await wait(pause);
    }
  }

  function openConsumer(): Consumer {
    const consumer = new Consumer({
      ...clientOptions(place, sessionMilliseconds + ANSWER_MILLISECONDS),
      groupId,
      sessionTimeout: sessionMilliseconds,
      rebalanceTimeout: sessionMilliseconds,
      heartbeatInterval: Math.min(HEARTBEAT_MILLISECONDS_MAX, Math.floor(sessionMilliseconds / 4)),
      protocols: [{ name: PROTOCOL, version: 1 }],
      protocolsMetadata: () => ownedAsMetadata(owned),
      partitionAssigner: stickyAssigner,
      retries: JOIN_RETRIES_MAX,
      retryDelay: JOIN_PAUSE_MILLISECONDS,
    });
    consumer.topics.trackAll(...topics);
    return consumer;
  }

  /** Joins, and throws when the membership has ended without our doing. */
  async function takePart(consumer: Consumer): Promise<void> {
    let aliveAt = performance.now();
    let failure: Error | undefined;
    // Without a listener an error would end the process.
    consumer.on('error', (error) => {
      failure = error;
      bell.ring();
    });
    consumer.on('consumer:heartbeat:end', () => {
      aliveAt = performance.now();
    });
    consumer.on('consumer:group:join', ({ assignments = [] }) => {
      aliveAt = performance.now();
      owned = assignments;
      onAssigned(assignments.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))));
    });
    await ready();
    bell.silence();
    if (closing) return;
    await consumer.joinGroup({});
    failures.none();
    while (!closing && failure === undefined) {
      // Longer than the group waits for a sign of life: it has given this member up, and the member has not noticed.
      if (performance.now() - aliveAt > 2 * sessionMilliseconds) throw new Error('Nothing was heard of the group');
      await bell.wait(WATCH_MILLISECONDS);
    }
    if (failure !== undefined) throw failure;
  }

  return {
    async committedOffsets(topic, partitions) {
      if (current === undefined) throw new Error('Not a member of the group at the moment');
      const found = await current.listCommittedOffsets({ topics: [{ topic, partitions: [...partitions] }] });
      // The client files a partition's offset under its number.
      return new Map(partitions.map((partition) => [partition, found.get(topic)?.[partition] ?? -1n]));
    },
    async commitOffsets(offsets) {
      if (current?.isActive() !== true) return;
      await current.commit({ offsets: offsets.map((each) => ({ ...each, leaderEpoch: -1 })) });
    },
    async close() {
      closing = true;
      bell.ring();
      const consumer = current;
      if (consumer !== undefined) await closeInTime(() => consumer.close(true));
      await closeInTime(() => running);
    },
  };
}
