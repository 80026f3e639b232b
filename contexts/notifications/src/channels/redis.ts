import { formatInstant } from '@provender/kernel';
import { type ContextPlatform, stopwatch } from '@provender/platform';
import { createClient } from '@redis/client';
import type { Outgoing } from '../store/messages.ts';
import { type Channel, detailOf, inTime, type Outcome } from './channel.ts';

const CONNECT_MILLISECONDS_MAX = 5_000;
const ANSWER_MILLISECONDS_MAX = 10_000;

/** A notice as another service gets it: CloudEvents 1.0, structured. */
export function cloudEventOf(message: Outgoing): object {
  const { eventId, source, type, subject, key, eventAt, traceparent, data } = message;
  return {
    specversion: '1.0',
    id: eventId,
    source,
    type,
    subject,
    time: formatInstant(eventAt),
    partitionkey: key,
    ...(traceparent === null ? {} : { traceparent }),
    datacontenttype: 'application/json',
    data,
  };
}

/** Publishes notices in Redis, for other programs. Who listens there is not our business, and none is fine. */
export function openRedis({ settings: { redisUrl } }: ContextPlatform): Channel | undefined {
  if (redisUrl === undefined) return undefined;
  const url = redisUrl;
  let connected: Promise<ReturnType<typeof clientOf>> | undefined;

  /** The messages have their own retries, with a rest between: the client is to fail at once. */
  function clientOf() {
    const client = createClient({
      url,
      disableOfflineQueue: true,
      socket: { connectTimeout: CONNECT_MILLISECONDS_MAX, reconnectStrategy: false },
    });
    // Told by the command that fails, too; without a listener it would end the process.
    client.on('error', () => {});
    return client;
  }

  async function connect() {
    const client = clientOf();
    await client.connect();
    return client;
  }

  async function publish(messages: readonly Outgoing[]): Promise<number[]> {
    connected ??= connect();
    const client = await connected;
    // Sent together: the client writes them in one go.
    return Promise.all(
      messages.map((message) => client.publish(message.address, JSON.stringify(cloudEventOf(message)))),
    );
  }

  async function forget(): Promise<void> {
    const broken = connected;
    connected = undefined;
    await broken?.then((client) => client.destroy()).catch(() => {});
  }

  return {
    name: 'redis',
    async send(messages) {
      const elapsed = stopwatch();
      try {
        const heard = await inTime(publish(messages), ANSWER_MILLISECONDS_MAX);
        return heard.map((count): Outcome => {
          return { kind: 'delivered', detail: `Published; ${count} listened`, milliseconds: elapsed() };
        });
      } catch (error) {
        await forget();
        const failed = { detail: detailOf(error), milliseconds: elapsed(), isFinal: false, isClosed: true };
        return messages.map((): Outcome => ({ kind: 'failed', ...failed }));
      }
    },
    close: forget,
  };
}
