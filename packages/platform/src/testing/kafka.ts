import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { type FolderLock, lockFolder } from '../embedded-postgres/folder-lock.ts';
import { sendSignal } from '../embedded-postgres/processes.ts';
import {
  emptyBroker,
  findBroker,
  killBroker,
  type RunningBroker,
  startBroker,
  stopBroker,
} from '../local-kafka/broker.ts';
import { kafkaMissing } from '../local-kafka/jars.ts';
import { KAFKA_FOLDER_PREFIX } from './kafka-setup.ts';

export { kafkaMissing } from '../local-kafka/jars.ts';

const STARTED_BY_ANOTHER_MILLISECONDS_MAX = 90_000;
const LOCK_PAUSE_MILLISECONDS = 100;

/** A broker of one test's own, to do harm to. Its address stays the same whatever happens to it. */
export type TestKafka = {
  readonly brokers: readonly string[];
  readonly port: number;
  /** The process that runs now, or ran last. */
  readonly pid: number;
  /** Ends it cleanly; its data stays. */
  stop(): Promise<void>;
  /** Ends it as a power cut would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on its port. */
  start(): Promise<void>;
  /** Stops its process in the middle of whatever it does: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it, removes every topic and every committed offset, and starts it again on its port. */
  empty(): Promise<void>;
  /** Ends it and removes its data: for `afterAll`. */
  remove(): Promise<void>;
};

/**
 * A suite that needs Kafka. Where none can be had nothing of it runs, its hooks neither, and the run says why.
 */
export function describeWithKafka(name: string, suite: () => void): void {
  const missing = kafkaMissing();
  describe(`${name} (needs Kafka)`, () => {
    if (missing === undefined) suite();
    else {
      test('all of it', ({ skip }) => {
        skip(missing);
        expect.unreachable();
      });
    }
  });
}

/**
 * The one broker of this test run, for every test that does it no harm; whoever asks first starts it, and the run stops
 * it at its end. Topics must carry a prefix of the test's own.
 */
export async function sharedKafka(): Promise<{ readonly brokers: readonly string[] }> {
  const { folder } = inject('kafka');
  mkdirSync(folder, { recursive: true });
  const lock = await lockWhenFree(folder);
  try {
    const broker = findBroker(folder) ?? (await startBroker(folder, {}, {}));
    return { brokers: [`127.0.0.1:${broker.port}`] };
  } finally {
    lock.release();
  }
}

/** Starts a broker of the test's own; call `remove` in `afterAll`. */
export async function startKafka(
  options: { readonly port?: number; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), KAFKA_FOLDER_PREFIX));
  const settings = options.settings ?? {};
  let lock: FolderLock | undefined = lockFolder(folder);
  let broker: RunningBroker = await startBroker(folder, { port: options.port }, settings);
  const start = async () => {
    broker = await startBroker(folder, broker, settings);
  };
  return {
    brokers: [`127.0.0.1:${broker.port}`],
    port: broker.port,
    get pid() {
      return broker.pid;
    },
    start,
    stop: () => stopBroker(broker),
    kill: () => killBroker(broker),
    pause: () => sendSignal(broker.pid, 'SIGSTOP'),
    resume: () => sendSignal(broker.pid, 'SIGCONT'),
    async empty() {
      await killBroker(broker);
      emptyBroker(folder);
      await start();
    },
    async remove() {
      await killBroker(broker);
      lock?.release();
      lock = undefined;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Takes the folder's lock, however long another worker needs to start the broker under it. */
async function lockWhenFree(folder: string): Promise<FolderLock> {
  const giveUpAt = performance.now() + STARTED_BY_ANOTHER_MILLISECONDS_MAX;
  for (;;) {
    try {
      return lockFolder(folder);
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await wait(LOCK_PAUSE_MILLISECONDS);
    }
  }
}
