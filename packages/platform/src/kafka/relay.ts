import { setTimeout as wait } from 'node:timers/promises';
import { ProduceAcks, Producer } from '@platformatic/kafka';
import type { ContextName, RecordedEvent } from '@provender/contracts';
import { openBell } from '../bell.ts';
import type { Database } from '../database.ts';
import { LogTail } from '../log-tail.ts';
import { CARRIED_EVENTS_MAX, type CarriedBatch, carriedBatch } from './carried-batch.ts';
import { clientOptions, closeInTime, type KafkaPlace, openFailures } from './client.ts';
import type { CarriedEvent } from './envelope.ts';
import { openPartitioner } from './partitions.ts';
import { relayChain } from './relay-chain.ts';
import { LEASE_MILLISECONDS, type Lease, openRelayStore, type PartitionEnd } from './relay-store.ts';
import { isTopicLost, type Topics } from './topics.ts';

/** How soon a standby finds that the lease is free; of the leader, how soon it looks without being told. */
const STANDBY_MILLISECONDS = 500;
const POLL_MILLISECONDS = 1_000;
const RENEW_MILLISECONDS = LEASE_MILLISECONDS / 3;
/** How far it has come is noted this often: what is carried again after a crash, consumers pass over. */
const SAVE_MILLISECONDS = 100;
const CHECK_ENDS_MILLISECONDS = 10_000;
const PRODUCE_MILLISECONDS = 5_000;
const PRODUCE_PAUSE_MILLISECONDS = 100;

export type RelayOptions = {
  readonly context: ContextName;
  /** A database object with one connection, of this relay alone, which closes it. */
  readonly db: Database;
  readonly place: KafkaPlace;
  readonly topics: Topics;
  /** Tells this process from the others. */
  readonly processId: string;
};

/** Carries the log of one context to its topic, in position order, while this process is the one that does. */
export type Relay = {
  /** This process has committed these. */
  tell(events: readonly RecordedEvent[]): void;
  /** Another process may have committed something. */
  wake(): void;
  /** What was told may be untrue: the database has broken. */
  distrust(): void;
  /** Whether this process carries the log, as far as it knows. */
  isLeader(): boolean;
  /** How far the log has been carried, where this process knows it. */
  position(): number | undefined;
  ends(): readonly PartitionEnd[];
  close(): Promise<void>;
};

/** One turn at the lead: from the taking of the lease until it is lost or given back. */
type Turn = {
  readonly lease: Lease;
  /** By the clock of this process, from before the lease was taken or renewed. */
  leasedAt: number;
  position: number;
  ends: PartitionEnd[];
  readonly unsaved: Set<number>;
  savedAt: number;
  isLost: boolean;
};

/**
 * Retries twice by itself, under the same sequence numbers, which the broker knows; an idempotent one insists on it.
 */
function openProducer(place: KafkaPlace): Producer {
  const producer = new Producer({
    ...clientOptions(place, PRODUCE_MILLISECONDS),
    ...{ idempotent: true, acks: ProduceAcks.ALL, retries: 2, retryDelay: PRODUCE_PAUSE_MILLISECONDS },
  });
  producer.on('error', () => {});
  return producer;
}

export function openRelay({ context, db, place, topics, processId }: RelayOptions): Relay {
  const store = openRelayStore(context, db);
  const topic = topics.nameOf(context);
  const owner = `${processId} ${context}`;
  const bell = openBell();
  const tail = new LogTail();
  const failures = openFailures(place.log, { context, topic }, `The log of ${context} cannot be carried to Kafka`);
  let turn: Turn | undefined;
  /** Somebody else may have committed: only the table knows. */
  let isSuspect = true;
  let closing = false;
  const running = loop();

  async function loop(): Promise<void> {
    while (!closing) {
      try {
        bell.silence();
        const leasedAt = performance.now();
        const lease = await store.take(owner);
        if (lease === undefined) await bell.wait(STANDBY_MILLISECONDS);
        else await lead(lease, leasedAt);
      } catch (error) {
        if (isTopicLost(error)) topics.forget();
        if (!closing) await wait(failures.note(error));
      }
    }
  }

  async function lead(lease: Lease, leasedAt: number): Promise<void> {
    const counts = await topics.ensure([context]);
    const count = counts.get(context) ?? place.partitions;
    const now: Turn = {
      ...{ lease, leasedAt, position: lease.position, ends: [] },
      ...{ unsaved: new Set(), savedAt: performance.now(), isLost: false },
    };
    const chain = await relayChain(store, lease, count, () => save(now));
    if (chain === undefined) return;
    now.ends = chain;
    for (const { partition } of chain) now.unsaved.add(partition);
    isSuspect = true;
    const producer = openProducer(place);
    turn = now;
    try {
      await carry(now, producer, openPartitioner(count));
    } finally {
      turn = undefined;
      await closeInTime(() => producer.close());
    }
  }

  async function carry(now: Turn, producer: Producer, partitionOf: (key: string) => number): Promise<void> {
    let checkAt = 0;
    while (!now.isLost) {
      if (performance.now() >= checkAt) {
        await checkEnds(now);
        checkAt = performance.now() + CHECK_ENDS_MILLISECONDS;
      }
      bell.silence();
      if (performance.now() - now.leasedAt >= RENEW_MILLISECONDS && !(await save(now))) return;
      const events = await next(now);
      if (events.length === 0) {
        // What is said last is carried too, before this process goes: it may be the only one of its context.
        if (closing) break;
        await rest(now);
        continue;
      }
      const batch = carriedBatch(topic, events, partitionOf, now.ends);
      await produce(now, producer, batch);
      failures.none();
    }
    if (!now.isLost) await save(now);
    if (!now.isLost) await store.give(now.lease.epoch);
  }

  /** What comes after what was carried: from memory where it is all there, else from the table. */
  async function next(now: Turn): Promise<readonly CarriedEvent[]> {
    const known = tail.after(now.position, CARRIED_EVENTS_MAX);
    if (known !== undefined && known.length > 0) {
      return known.map((event) => ({ ...event, data: JSON.stringify(event.data) }));
    }
    if (!isSuspect && known !== undefined) return [];
    // Before the read, so that a commit during it is not forgotten.
    isSuspect = false;
    const events = await store.read(now.position, CARRIED_EVENTS_MAX);
    if (events.length === CARRIED_EVENTS_MAX) isSuspect = true;
    return events;
  }

  async function produce(now: Turn, producer: Producer, batch: CarriedBatch): Promise<void> {
    const { offsets = [] } = await producer.send({
      messages: [...batch.messages],
      acks: ProduceAcks.ALL,
      idempotent: true,
    });
    for (const { partition, offset } of offsets) {
      const end = batch.ends.get(partition);
      if (end === undefined || offset < 0n) continue;
      if (Number(offset) < end.nextOffset) sayEmptied(partition);
      now.ends[partition] = { ...end, nextOffset: Number(offset) + (batch.counts.get(partition) ?? 0) };
      now.unsaved.add(partition);
    }
    now.position = batch.position;
    if (performance.now() - now.savedAt >= SAVE_MILLISECONDS) void save(now).catch(() => {});
  }

  /** Notes how far it has come, and renews the lease. False where another process has it. */
  async function save(now: Turn): Promise<boolean> {
    const asked = performance.now();
    const partitions = [...now.unsaved];
    now.unsaved.clear();
    now.savedAt = asked;
    try {
      const ends = partitions.map((partition) => now.ends[partition]).filter((end) => end !== undefined);
      if (await store.keep(now.lease.epoch, now.position, ends)) now.leasedAt = asked;
      else now.isLost = true;
    } catch (error) {
      for (const partition of partitions) now.unsaved.add(partition);
      throw error;
    }
    return !now.isLost;
  }

  /** Waits for a commit, notes what is not noted yet, renews the lease in time. */
  async function rest(now: Turn): Promise<void> {
    const renewAt = now.leasedAt + RENEW_MILLISECONDS;
    const saveAt = now.unsaved.size > 0 ? now.savedAt + SAVE_MILLISECONDS : Number.POSITIVE_INFINITY;
    const pause = Math.min(renewAt, saveAt) - performance.now();
    if (pause > 0) await bell.wait(Math.min(pause, POLL_MILLISECONDS));
    if (closing || performance.now() < Math.min(renewAt, saveAt)) return;
    isSuspect = true;
    await save(now);
  }

  /** A topic that ends before what was put there has been emptied, or made anew. */
  async function checkEnds(now: Turn): Promise<void> {
    const ends = await topics.endsOf(context, now.ends.length);
    failures.none();
    for (const end of now.ends) {
      if ((ends[end.partition] ?? 0) >= end.nextOffset) continue;
      sayEmptied(end.partition);
      now.ends[end.partition] = { ...end, nextOffset: ends[end.partition] ?? 0 };
      now.unsaved.add(end.partition);
    }
  }

  function sayEmptied(partition: number): void {
    place.log.error(
      { context, topic, partition },
      `The topic ${topic} has lost what was in partition ${partition}; the log has it still: ` +
        `npm run provender -- republish ${context}`,
    );
  }

  return {
    tell(events) {
      // A standby looks for the lease in its own time, and finds in the table what was committed.
      if (turn === undefined) return;
      tail.push(events);
      bell.ring();
    },
    wake() {
      isSuspect = true;
      if (turn !== undefined) bell.ring();
    },
    distrust() {
      tail.clear();
      isSuspect = true;
    },
    isLeader: () => turn !== undefined && !turn.isLost,
    position: () => turn?.position,
    ends: () => turn?.ends ?? [],
    async close() {
      closing = true;
      isSuspect = true;
      bell.ring();
      await closeInTime(() => running);
      await db.close();
    },
  };
}
