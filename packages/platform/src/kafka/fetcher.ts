import { Consumer, FetchIsolationLevels } from '@platformatic/kafka';
import { openBell } from '../bell.ts';
import { clientOptions, closeInTime, type KafkaPlace, openFailures } from './client.ts';
import type { PartitionFeed, PlacedRecord } from './partition-feed.ts';
import { isTopicLost, mentions } from './topics.ts';

/** Nothing waits so long for what has come: it bounds how soon a new partition joins a request that is under way. */
const FETCH_WAIT_MILLISECONDS = 250;
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 512 * 1024;
/** What all partitions of a consumer keep ready together; beyond that each has only as much as a set may carry. */
const ENTRIES_MAX = 10_000;
const ENTRIES_LEFT_MAX = 200;
const IDLE_MILLISECONDS = 1_000;
const REQUEST_MILLISECONDS = 5_000;

/** A feed with the topic that it reads. */
export type Reading = { readonly topic: string; readonly feed: PartitionFeed };

export type FetcherOptions = {
  readonly place: KafkaPlace;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** What is to be read now. */
  readonly readings: () => readonly Reading[];
  readonly committedOffsets: (topic: string, partitions: readonly number[]) => Promise<ReadonlyMap<number, bigint>>;
  /** There is something new to take. */
  readonly onReceived: () => void;
  /** A topic is not there, or is another one than it was. */
  readonly onTopicLost: () => void;
};

/**
 * Fills feeds from the brokers that lead their partitions: one request under way with each, as long as one has room.
 */
export type Fetcher = {
  /** There may be more to read, or room for it. */
  wake(): void;
  close(): Promise<void>;
};

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;
type Partition = FetchResponse['responses'][number]['partitions'][number];

/** Protocol error codes of one partition in a fetch. */
const OFFSET_OUT_OF_RANGE = 1;
const TOPIC_LOST = new Set([3, 100]);
const SESSION_LOST = ['INVALID_FETCH_SESSION_EPOCH', 'FETCH_SESSION_ID_NOT_FOUND', 'FETCH_SESSION_TOPIC_ID_ERROR'];

export function openFetcher(options: FetcherOptions): Fetcher {
  const { place, groupId, topics, readings, committedOffsets, onReceived, onTopicLost } = options;
  const failures = openFailures(place.log, { groupId }, `Events for ${groupId} cannot be read from Kafka`);
  const bell = openBell();
  const underWay = new Set<number>();
  const consumer = openConsumer();
  let closing = false;
  let pauseUntil = 0;
  const running = loop();

  /** It takes no part in the group: a member's requests would queue up behind a fetch that waits. */
  function openConsumer(): Consumer {
    const opened = new Consumer({ ...clientOptions(place, REQUEST_MILLISECONDS), groupId });
    opened.topics.trackAll(...topics);
    opened.on('error', () => {});
    return opened;
  }

  async function loop(): Promise<void> {
    while (!closing) {
      bell.silence();
      const pause = pauseUntil - performance.now();
      try {
        if (pause <= 0) await startFetches();
      } catch (error) {
        failed(error);
      }
      await bell.wait(pause > 0 ? pause : IDLE_MILLISECONDS);
    }
  }

  function failed(error: unknown): void {
    // The broker has forgotten what it was asked for before; the client asks for all of it again.
    if (closing || SESSION_LOST.some((apiId) => mentions(error, apiId))) return;
    if (isTopicLost(error)) onTopicLost();
    consumer.clearMetadata();
    pauseUntil = performance.now() + failures.note(error);
    bell.ring();
  }

  async function startFetches(): Promise<void> {
    const all = readings();
    const isCrowded = all.reduce((sum, { feed }) => sum + feed.size(), 0) >= ENTRIES_MAX;
    const hasRoom = (feed: PartitionFeed) => !feed.isFull() && (!isCrowded || feed.size() < ENTRIES_LEFT_MAX);
    const ready = all.filter(({ feed }) => feed.seek() !== undefined && hasRoom(feed));
    if (ready.length === 0) return;
    await findOffsets(ready.filter(({ feed }) => feed.seek() === 'committed'));
    const { topics: known } = await consumer.metadata({ topics: [...topics] });
    const byLeader = new Map<number, Reading[]>();
    for (const reading of ready) {
      const leader = known.get(reading.topic)?.partitions[reading.feed.partition]?.leader;
      if (leader === undefined || leader < 0) throw new Error(`Nobody leads ${reading.topic} at the moment`);
      if (!underWay.has(leader)) byLeader.set(leader, [...(byLeader.get(leader) ?? []), reading]);
    }
    for (const [leader, of] of byLeader) {
      underWay.add(leader);
      void fetchFrom(leader, of, (topic) => known.get(topic)?.id ?? '').finally(() => {
        underWay.delete(leader);
        bell.ring();
      });
    }
  }

  async function findOffsets(of: readonly Reading[]): Promise<void> {
    for (const topic of new Set(of.map((reading) => reading.topic))) {
      const feeds = of.filter((reading) => reading.topic === topic).map(({ feed }) => feed);
      const committed = await committedOffsets(
        topic,
        feeds.map(({ partition }) => partition),
      );
      for (const feed of feeds) {
        const offset = committed.get(feed.partition) ?? -1n;
        // One record that is consumed already comes again: by it a cursor that was set back is found out.
        feed.seekTo(offset <= 0n ? 'earliest' : offset - 1n);
      }
    }
  }

  async function fetchFrom(node: number, of: readonly Reading[], idOf: (topic: string) => string): Promise<void> {
    const asked = new Map<string, { readonly reading: Reading; readonly offset: bigint }>();
    const wanted = of.flatMap((reading) => {
      const seek = reading.feed.seek();
      if (seek === undefined || seek === 'committed') return [];
      const fetchOffset = seek === 'earliest' ? 0n : seek;
      const { topic, feed } = reading;
      asked.set(`${idOf(topic)}/${feed.partition}`, { reading, offset: fetchOffset });
      return [{ topicId: idOf(topic), partitions: [{ ...partitionRequest(feed.partition), fetchOffset }] }];
    });
    if (wanted.length === 0) return;
    try {
      const answer = await consumer.fetch({
        node,
        topics: wanted,
        minBytes: 1,
        maxBytes: FETCH_BYTES_MAX,
        maxWaitTime: FETCH_WAIT_MILLISECONDS,
        isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
      });
      receive(answer, asked);
      failures.none();
    } catch (error) {
      // One partition that cannot be read must not hold up those that came with it.
      const answer = answerIn(error);
      if (answer === undefined || !receive(answer, asked)) failed(error);
    }
  }

  /** Hands on what has come. True where every trouble in it is mended by reading elsewhere. */
  function receive(
    answer: FetchResponse,
    asked: ReadonlyMap<string, { readonly reading: Reading; readonly offset: bigint }>,
  ): boolean {
    let isMended = answer.errorCode === 0;
    let isNew = false;
    for (const { topicId, partitions } of answer.responses) {
      for (const partition of partitions) {
        const request = asked.get(`${topicId}/${partition.partitionIndex}`);
        // It has been given away, or sent elsewhere, while the request was under way.
        const seek = request?.reading.feed.seek();
        if (request === undefined || (seek === 'earliest' ? 0n : seek) !== request.offset) continue;
        if (partition.errorCode === 0) isNew = request.reading.feed.receive(placed(partition, request.offset)) || isNew;
        else isMended = mend(partition, request.reading.feed) && isMended;
      }
    }
    if (isNew) onReceived();
    return isMended;
  }

  /** An offset that is not there any more, or not yet again: the chain tells whether something is missing. */
  function mend({ errorCode, logStartOffset }: Partition, feed: PartitionFeed): boolean {
    if (TOPIC_LOST.has(errorCode)) onTopicLost();
    if (errorCode !== OFFSET_OUT_OF_RANGE) return false;
    feed.seekTo('earliest');
    if (logStartOffset > 0n) feed.seekTo(logStartOffset);
    return true;
  }

  return {
    wake: bell.ring,
    async close() {
      closing = true;
      bell.ring();
      await closeInTime(() => running);
      await closeInTime(() => consumer.close(true));
    },
  };
}

function partitionRequest(partition: number) {
  return { partition, partitionMaxBytes: PARTITION_BYTES_MAX, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
}

/** The records of a partition from an offset on; a broker gives whole batches, which may begin before it. */
function placed({ records }: Partition, from: bigint): PlacedRecord[] {
  return (records ?? []).flatMap((batch) =>
    batch.records
      .map((record) => ({ offset: batch.firstOffset + BigInt(record.offsetDelta), record }))
      .filter(({ offset }) => offset >= from),
  );
}

/** What came all the same with an error of the protocol: it concerns single partitions. */
function answerIn(error: unknown): FetchResponse | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  const { response } = error;
  // The client hands the parsed answer on with the error that it made of it.
  return typeof response === 'object' && response !== null && 'responses' in response
    ? (response as FetchResponse)
    : undefined;
}
