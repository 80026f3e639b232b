// Vitest's global set-up for Kafka: a folder for the run's broker, which starts when the first test asks for it
// (`sharedKafka` in kafka.ts) and ends with the run.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { lockFolder } from '../embedded-postgres/folder-lock.ts';
import { findBroker, killBroker } from '../local-kafka/broker.ts';

export const KAFKA_FOLDER_PREFIX = 'provender-test-kafka-';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly kafka: { readonly folder: string };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftBrokers();
  const run = mkdtempSync(join(tmpdir(), KAFKA_FOLDER_PREFIX));
  // The run holds its folder, the workers lock the broker's within it while one of them starts it.
  const lock = lockFolder(run);
  const folder = join(run, 'broker');
  project.provide('kafka', { folder });
  return async () => {
    await endBroker(folder);
    lock.release();
    rmSync(run, { recursive: true, force: true });
  };
}

async function endBroker(folder: string): Promise<void> {
  const broker = findBroker(folder);
  if (broker !== undefined) await killBroker(broker);
}

/** Ends and removes the brokers of runs that were killed: those whose folder nobody holds any more. */
async function removeLeftBrokers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(KAFKA_FOLDER_PREFIX))) {
    const folder = join(tmpdir(), name);
    // One that nobody has ever held was made a moment ago, by a run that is just starting.
    if (!existsSync(join(folder, 'lock.sqlite'))) continue;
    try {
      const lock = lockFolder(folder);
      await endBroker(folder);
      await endBroker(join(folder, 'broker'));
      lock.release();
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It is in use by another run at this moment, or belongs to another user.
    }
  }
}
