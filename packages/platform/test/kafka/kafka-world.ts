import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { kafkaTransport, type Log, type Transport } from '../../src/index.ts';
import { openWorld, type World } from '../contract-world.ts';
import type { ChildOrders } from './child.ts';

export const START_MILLISECONDS_MAX = 90_000;
/** What the tests' brokers allow; a group gives up a member that was not heard for so long. */
export const SESSION_MILLISECONDS = 1_500;
export const WAIT = { timeout: 30_000, interval: 50 };

export type KafkaWorld = World & {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  /** What the transports have said, as `level message`. */
  readonly lines: string[];
  transport(processId: string): Transport;
  /** A process of its own, which does as it is told until it is killed; resolves when it runs. */
  child(orders: Pick<ChildOrders, 'carries' | 'consumes' | 'stuckAt'>): Promise<ChildProcess>;
};

export type KafkaWorldOptions = { readonly brokers: readonly string[]; readonly partitions: number };

/** A database with the logs of all contexts, and topics of its own. */
export async function openKafkaWorld({ brokers, partitions }: KafkaWorldOptions): Promise<KafkaWorld> {
  const lines: string[] = [];
  const children: ChildProcess[] = [];
  const topicPrefix = `test-${randomUUID()}.`;

  function transportFor(processId: string): Transport {
    return kafkaTransport({
      ...{ brokers, clientId: processId, topicPrefix, partitions, processId },
      sessionMilliseconds: SESSION_MILLISECONDS,
      log: writingTo(lines),
    });
  }

  const world = await openWorld(({ processId }) => transportFor(processId));

  return {
    ...world,
    ...{ brokers, topicPrefix, lines },
    transport: transportFor,
    async child(orders) {
      const all: ChildOrders = {
        ...{ brokers, url: world.url, topicPrefix, partitions },
        sessionMilliseconds: SESSION_MILLISECONDS,
        ...orders,
      };
      const child = await startChild(all);
      children.push(child);
      return child;
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await world.close();
    },
  };
}

function startChild(orders: ChildOrders): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('child.ts', import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`The child has ended with ${code}`)));
  });
}

function writingTo(lines: string[]): Log {
  const line = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message}`);
    if (process.env['PROVENDER_TEST_LOG'] === '1') console.error(level, message, fields);
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** Waits until so many greetings are there, and checks that each subject has its own in the order of the log. */
export async function expectGreeted(world: World, subjects: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await world.greeted()).toHaveLength(subjects.length), WAIT);
  const greeted = await world.sql<{ subject: string; position: string }>(
    'SELECT subject, position FROM catalog.greetings ORDER BY ordinal',
  );
  const said = await world.sql<{ subject: string; position: string }>(
    "SELECT subject, position FROM identity.outbox WHERE type = 'identity.user-registered.v1' ORDER BY position",
  );
  expect(bySubject(greeted)).toEqual(bySubject(said));
  expect((await world.answered()).toSorted()).toEqual(subjects.toSorted());
}

function bySubject(rows: readonly { readonly subject: string; readonly position: string }[]) {
  const positions = new Map<string, string[]>();
  for (const { subject, position } of rows) positions.set(subject, [...(positions.get(subject) ?? []), position]);
  return new Map([...positions].toSorted(([one], [two]) => one.localeCompare(two)));
}
