import type { Log } from '../module.ts';

/** What every client of the transport needs to reach Kafka and to say what goes wrong. */
export type KafkaPlace = {
  readonly brokers: readonly string[];
  /** Names the connections on the broker's side. */
  readonly clientId: string;
  /** Topics begin with it: several systems, or tests, share a cluster. */
  readonly topicPrefix: string;
  /** Consumer groups begin with it; as topics do unless said. */
  readonly groupPrefix?: string;
  /** For topics that are not there yet. */
  readonly partitions: number;
  readonly log: Log;
};

export const CONNECT_TIMEOUT_MILLISECONDS = 3_000;
/** A broker that is stopped in the middle of something answers nothing: after so long another connection is tried. */
export const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
/** Leaders move rarely, and whoever is not the leader says so. */
export const METADATA_MILLISECONDS_MAX = 30_000;
/** How long a client may take to say good-bye; a broker that is away must not hold up a process that stops. */
const CLOSE_MILLISECONDS_MAX = 2_000;

/** Options of every client. Nothing is retried inside: each loop of ours begins again, and says so. */
export function clientOptions(place: KafkaPlace, requestTimeoutMilliseconds = REQUEST_TIMEOUT_MILLISECONDS) {
  return {
    clientId: place.clientId,
    bootstrapBrokers: [...place.brokers],
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    requestTimeout: requestTimeoutMilliseconds,
    metadataMaxAge: METADATA_MILLISECONDS_MAX,
    retries: 0,
  };
}

/** Closes a client, and goes on without it where that takes too long or fails. */
export async function closeInTime(close: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MILLISECONDS_MAX);
  });
  await Promise.race([close().catch(() => {}), tooLong]);
  clearTimeout(timer);
}

/** What passes sooner is part of the day: a topic that is being made, a group that elects its coordinator. */
const REPORT_AFTER_MILLISECONDS = 3_000;
const REPORT_EVERY_MILLISECONDS = 60_000;
const PAUSE_MILLISECONDS = { min: 50, max: 2_000 };

/** A loop's memory of its failures: how long to pause, and when to say so once more. */
export type Failures = {
  /** Notes a failure, says so once it lasts and then about every minute, and gives how long to pause. */
  note(error: unknown): number;
  none(): void;
};

export function openFailures(log: Log, fields: object, message: string): Failures {
  let count = 0;
  let failingSince: number | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    note(error) {
      const now = performance.now();
      count += 1;
      failingSince ??= now;
      log.debug({ ...fields, err: error, count }, message);
      if (now - failingSince >= REPORT_AFTER_MILLISECONDS && now - saidAt >= REPORT_EVERY_MILLISECONDS) {
        saidAt = now;
        // The client's errors are trees of others; the debug line above shows them whole.
        log.warn({ ...fields, reason: error instanceof Error ? error.message : String(error) }, message);
      }
      return Math.min(PAUSE_MILLISECONDS.max, PAUSE_MILLISECONDS.min * 2 ** Math.min(count - 1, 6));
    },
    none() {
      if (saidAt > Number.NEGATIVE_INFINITY) log.info(fields, `${message}: over`);
      saidAt = Number.NEGATIVE_INFINITY;
      failingSince = undefined;
      count = 0;
    },
  };
}
