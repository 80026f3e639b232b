import { Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import type { ContextName } from '@provender/contracts';
import { clientOptions, closeInTime, type KafkaPlace } from './client.ts';

/** The topics of the logs: one per context, made where they are missing, and never changed. */
export type Topics = {
  nameOf(context: ContextName): string;
  /** How many partitions each of these topics has, once they are all there. Throws while Kafka is away. */
  ensure(contexts: readonly ContextName[]): Promise<ReadonlyMap<ContextName, number>>;
  /** How many partitions a topic has; undefined as long as nobody has found out. */
  partitionsOf(context: ContextName): number | undefined;
  /** Where each partition of a topic ends now. */
  endsOf(context: ContextName, partitions: number): Promise<readonly number[]>;
  /** What is known may be untrue: a topic has gone. */
  forget(): void;
  close(): Promise<void>;
};

/** Unless the cluster says otherwise. A record stays as long there as the cluster keeps it: the log has it for ever. */
const AS_THE_CLUSTER_SAYS = -1;
const TOPIC_THERE_ALREADY_ID = 'TOPIC_ALREADY_EXISTS';
const LOST_IDS = ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'];
const UNKNOWN_TOPIC = /Unknown topic/;

export function openTopics(place: KafkaPlace): Topics {
  const counts = new Map<ContextName, number>();
  const warned = new Set<ContextName>();
  let admin: Admin | undefined;
  const nameOf = (context: ContextName) => `${place.topicPrefix}${context}`;

  async function create(context: ContextName): Promise<void> {
    admin ??= new Admin(clientOptions(place));
    const wanted = { topics: [nameOf(context)], partitions: place.partitions, replicas: AS_THE_CLUSTER_SAYS };
    await admin.createTopics(wanted).catch((error: unknown) => {
      if (!mentions(error, TOPIC_THERE_ALREADY_ID)) throw error;
    });
  }

  async function look(context: ContextName): Promise<number | undefined> {
    admin ??= new Admin(clientOptions(place));
    const topic = nameOf(context);
    try {
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true, autocreateTopics: false });
      return topics.get(topic)?.partitionsCount;
    } catch (error) {
      if (isTopicLost(error)) return undefined;
      throw error;
    }
  }

  async function ensureOne(context: ContextName): Promise<number> {
    const known = counts.get(context);
    if (known !== undefined) return known;
    let found = await look(context);
    if (found === undefined) {
      await create(context);
      found = await look(context);
    }
    // A topic is there for the broker that made it a little before it is for all.
    if (found === undefined || found === 0) throw new Error(`The topic ${nameOf(context)} is not there yet`);
    counts.set(context, found);
    if (found !== place.partitions && !warned.has(context)) {
      warned.add(context);
      place.log.warn(
        { topic: nameOf(context), partitions: found, wanted: place.partitions },
        `KAFKA_PARTITIONS=${place.partitions}: the topic ${nameOf(context)} has ${found} partitions and keeps them`,
      );
    }
    return found;
  }

  return {
    nameOf,
    async ensure(contexts) {
      const found = new Map<ContextName, number>();
      for (const context of contexts) found.set(context, await ensureOne(context));
      return found;
    },
    partitionsOf: (context) => counts.get(context),
    async endsOf(context, partitions) {
      admin ??= new Admin(clientOptions(place));
      const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp: ListOffsetTimestamps.LATEST,
      }));
      const [listed] = await admin.listOffsets({ topics: [{ name: nameOf(context), partitions: wanted }] });
      const ends = new Map(listed?.partitions.map((each) => [each.partitionIndex, Number(each.offset)]));
      return wanted.map(({ partitionIndex }) => ends.get(partitionIndex) ?? 0);
    },
    forget() {
      counts.clear();
      admin?.clearMetadata();
    },
    async close() {
      const open = admin;
      admin = undefined;
      if (open !== undefined) await closeInTime(() => open.close());
    },
  };
}

/** Whether it says that a topic is not there, or is another one than it was. */
export function isTopicLost(error: unknown): boolean {
  return LOST_IDS.some((apiId) => mentions(error, apiId)) || innerErrors(error).some(isUnknownTopic);
}

/** What the client itself says where the cluster's metadata do not have the topic. */
function isUnknownTopic(error: unknown): boolean {
  return error instanceof Error && UNKNOWN_TOPIC.test(error.message);
}

/** Whether an error, or one of those that it was made of, is that one of the protocol. */
export function mentions(error: unknown, apiId: string): boolean {
  return innerErrors(error).some((each) => {
    return typeof each === 'object' && each !== null && 'apiId' in each && each.apiId === apiId;
  });
}

/** An error and all that it was made of. */
function innerErrors(error: unknown): unknown[] {
  if (typeof error !== 'object' || error === null) return [];
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return [error, ...inner.flatMap(innerErrors), ...('cause' in error ? innerErrors(error.cause) : [])];
}
