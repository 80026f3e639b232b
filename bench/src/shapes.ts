import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres, startLocalKafka } from '@provender/platform';
import { runningParts, type RunningPart } from './running-parts.ts';
import { startServer } from './server-process.ts';

/** The shapes that are laid beside each other: one process, each context apart, the busy ones twice. */
export const SHAPE_NAMES = ['single', 'split-1', 'split-2'] as const;
export type ShapeName = (typeof SHAPE_NAMES)[number];

/** A system in one of the shapes, ready to be asked. */
export type Shape = {
  readonly name: ShapeName;
  readonly host: string;
  readonly port: number;
  readonly parts: readonly RunningPart[];
  readonly postgres: EmbeddedPostgres;
  readonly kafkaPid: number | undefined;
  /** Of the database that a context keeps its things in, as the superuser. */
  databaseUrl(context: ContextName): string;
};

const BUSY_CONTEXTS = ['orders', 'inventory', 'bank'] as const satisfies readonly ContextName[];
const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const READY_MILLISECONDS_MAX = 180_000;

/** fsync stays on, as in production; segments are made before the measuring begins. */
export const POSTGRES_SETTINGS = {
  shared_buffers: '1GB',
  min_wal_size: '2GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  max_connections: '400',
} as const;

/** Starts a shape from nothing, gives it to `use`, and takes all of it away again. */
export async function inShape<T>(name: ShapeName, use: (shape: Shape) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'provender-bench-'));
  try {
    const postgres = await startEmbeddedPostgres({ dataFolder: join(folder, 'data'), settings: POSTGRES_SETTINGS });
    try {
      return await (name === 'single' ? inOneProcess(postgres, use) : apart(name, postgres, folder, use));
    } finally {
      await postgres.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inOneProcess<T>(postgres: EmbeddedPostgres, use: (shape: Shape) => Promise<T>): Promise<T> {
  const server = await startServer(postgres.url);
  try {
    const parts = [{ name: 'server', pid: server.pid }];
    const databaseUrl = () => postgres.superuserUrl;
    const place = { name: 'single' as const, host: '127.0.0.1', port: server.port };
    return await use({ ...place, parts, postgres, kafkaPid: undefined, databaseUrl });
  } finally {
    await server.stop();
  }
}

/** As `npm run provender -- up --split` runs it, on a database server and a broker of its own. */
async function apart<T>(
  name: ShapeName,
  postgres: EmbeddedPostgres,
  folder: string,
  use: (shape: Shape) => Promise<T>,
): Promise<T> {
  const kafka = await startLocalKafka({ dataFolder: join(folder, 'kafka') });
  try {
    const replicas = name === 'split-2' ? ['--replicas', BUSY_CONTEXTS.map((busy) => `${busy}=2`).join(',')] : [];
    const up = spawn(process.execPath, [MAIN, 'up', '--split', ...replicas], {
      env: {
        ...process.env,
        ...{ DATABASE_URL: postgres.url, KAFKA_BROKERS: kafka.brokers.join(','), PROVENDER_DATA: join(folder, 'data') },
        ...{ PORT: '0', MQTT_PORT: '0', RATE_LIMIT: 'off', PROVENDER_DEMO: 'on', LOG_LEVEL: 'error' },
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const { address, parts } = runningParts(await saidUntilReady(up));
      const place = { name, host: address.hostname, port: Number(address.port) };
      return await use({ ...place, parts, postgres, kafkaPid: kafka.pid, databaseUrl: apartUrl(postgres) });
    } finally {
      await stop(up);
    }
  } finally {
    await kafka.stop();
  }
}

function apartUrl(postgres: EmbeddedPostgres): (context: ContextName) => string {
  const base = new URL(postgres.url).pathname;
  return (context) => {
    const url = new URL(postgres.superuserUrl);
    url.pathname = `${base}_${context}`;
    return url.href;
  };
}

async function saidUntilReady(up: ChildProcess): Promise<readonly string[]> {
  const lines: string[] = [];
  const { stdout } = up;
  if (stdout === null) throw new Error('What the town says is not to be read');
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      lines.push(line);
      if (line.includes('is ready at')) resolve();
    });
  });
  const ended = once(up, 'exit').then(([code]) => {
    throw new Error(`The town ended with ${code} before it was ready`);
  });
  await Promise.race([ready, ended, once(AbortSignal.timeout(READY_MILLISECONDS_MAX), 'abort').then(notReady)]);
  // Its end is expected from now on.
  ended.catch(() => {});
  return lines;
}

function notReady(): never {
  throw new Error('The town did not become ready');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** The databases of a shape, each once. */
export function databasesOf(shape: Shape): ReadonlyMap<string, ContextName> {
  return new Map(
    CONTEXT_NAMES.map((context) => [new URL(shape.databaseUrl(context)).pathname.slice(1), context] as const),
  );
}
