import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockFolder } from './embedded-postgres/folder-lock.ts';
import { findBroker, startBroker, stopBroker } from './local-kafka/broker.ts';
import { fetchKafka, kafkaMissing } from './local-kafka/jars.ts';

export { fetchKafka, kafkaMissing, kafkaVersion } from './local-kafka/jars.ts';

export type LocalKafkaOptions = {
  /** All that the broker stores is kept in here. Made when it is not there. */
  readonly dataFolder: string;
  /** The port of 127.0.0.1 to listen on; without one, or with 0, a free one is picked. */
  readonly port?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Settings of the broker after our own, such as `log.retention.ms`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
};

export type LocalKafka = {
  /** For `KAFKA_BROKERS`. */
  readonly brokers: readonly string[];
  readonly port: number;
  readonly pid: number;
  /** Ends the broker cleanly and gives the folder free. A second call waits for the first. */
  stop(): Promise<void>;
};

/** A broker that belongs to another process: it is used and never stopped. */
export type AttachedKafka = Omit<LocalKafka, 'stop'>;

/** The folder of the local broker within the data folder of the settings. */
export function localKafkaFolder(dataFolder: string): string {
  return join(resolve(dataFolder), 'kafka', 'broker');
}

/**
 * Starts one Kafka broker on loopback, for trying out and for tests; fetches Kafka first where it is not there. A
 * broker that a killed process left running on the folder is taken over. Throws, in one line, where it cannot be had,
 * and when another process holds the folder.
 */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const log = options.log ?? (() => {});
  const dataFolder = resolve(options.dataFolder);
  await fetchKafka(log);
  const missing = kafkaMissing();
  if (missing !== undefined) throw new Error(missing);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(dataFolder);
  try {
    const orphan = findBroker(dataFolder);
    const isWanted = orphan !== undefined && [undefined, 0, orphan.port].includes(options.port);
    if (orphan !== undefined) {
      log(`${isWanted ? 'taking over' : 'stopping'} the Kafka that is running (process ${orphan.pid})`);
      if (!isWanted) await stopBroker(orphan);
    }
    const broker = isWanted ? orphan : await startBroker(dataFolder, options, options.settings ?? {});
    let stopping: Promise<void> | undefined;
    return {
      ...addressOf(broker),
      stop() {
        stopping ??= stopBroker(broker).finally(() => lock.release());
        return stopping;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Finds the broker that runs on a folder, whoever started it. Takes no lock and changes nothing. */
export function attachLocalKafka(dataFolder: string): AttachedKafka | undefined {
  const broker = findBroker(resolve(dataFolder));
  return broker === undefined ? undefined : addressOf(broker);
}

function addressOf({ port, pid }: { readonly port: number; readonly pid: number }): AttachedKafka {
  return { brokers: [`127.0.0.1:${port}`], port, pid };
}
