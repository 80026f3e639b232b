import type { ContextName } from '@provender/contracts';
import type { Announcer } from '../announcer.ts';
import type { Transport } from '../transport.ts';
import type { KafkaPlace } from './client.ts';
import { openSubscription } from './kafka-subscription.ts';
import { openPartitioner } from './partitions.ts';
import { openRelay, type Relay } from './relay.ts';
import { relayedEnds } from './relay-store.ts';
import { openTopics } from './topics.ts';

/** What a broker allows at least unless it is told otherwise: the others take over so soon after a process has died. */
const SESSION_MILLISECONDS = 6_000;

export type KafkaTransportOptions = KafkaPlace & {
  /** Tells this process from the others. */
  readonly processId: string;
  /** Belongs to the transport, which closes it. Without one, other processes' commits are found by looking. */
  readonly announcer?: Announcer;
  readonly sessionMilliseconds?: number;
};

/** Each context's log is carried to a topic, from which consumers read it, each process its share of the partitions. */
export function kafkaTransport(options: KafkaTransportOptions): Transport {
  const { processId, announcer, sessionMilliseconds = SESSION_MILLISECONDS, ...place } = options;
  const topics = openTopics(place);
  const relays = new Map<ContextName, Relay>();
  const partitioners = new Map<number, (key: string) => number>();
  announcer?.onHeard((source) => relays.get(source)?.wake());

  return {
    consumers: 'shared',
    partitionOf(source, key) {
      const count = topics.partitionsOf(source);
      if (count === undefined) return undefined;
      let partitioner = partitioners.get(count);
      if (partitioner === undefined) {
        partitioner = openPartitioner(count);
        partitioners.set(count, partitioner);
      }
      return partitioner(key);
    },
    carry({ context, open }) {
      const relay = openRelay({ context, db: open(), place, topics, processId });
      relays.set(context, relay);
      return {
        async carried(query) {
          const position = relay.position();
          const carried = position === undefined ? await relayedEnds(query) : { position, ends: relay.ends() };
          // Of what begins somewhere, nothing has been carried yet.
          return { position: carried.position, ends: carried.ends.filter(({ begins }) => !begins) };
        },
        async close() {
          relays.delete(context);
          await relay.close();
        },
      };
    },
    subscribe: async (consumer) => openSubscription({ place, topics, consumer, sessionMilliseconds }),
    committed(context, events) {
      const relay = relays.get(context);
      if (relay?.isLeader() === true) relay.tell(events);
      // Another process may carry the log, or have a request that waits for what was said: it wants to know at once.
      announcer?.tell(context);
    },
    distrust() {
      for (const relay of relays.values()) relay.distrust();
    },
    async close() {
      await announcer?.close();
      await topics.close();
    },
  };
}
