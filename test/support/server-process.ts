import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Api, openApi } from './api.ts';

/** The server as anybody starts it, in a process of its own that can be killed. */
export type ServerProcess = {
  readonly port: number;
  readonly pid: number;
  readonly api: Api;
  /** How it ended by itself; null while it runs, and where it was killed. */
  exitCode(): number | null;
  /** All that it has written so far, on both of its outputs. */
  output(): string;
  /** Waits until it answers that it is ready. */
  ready(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Asks it to stop, and waits until it has; after a while by force. */
  stop(): Promise<void>;
};

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const READY_MILLISECONDS_MAX = 60_000;
const STOP_MILLISECONDS_MAX = 20_000;
const OUTPUT_LENGTH_MAX = 4_000_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts the server on a port of its own, or the given one, of this machine only, and waits until it is ready. It may
 * be killed after a while, ready or not; where it was not, this throws.
 */
export async function startServerProcess(
  env: Readonly<Record<string, string>>,
  options: { readonly port?: number; readonly killAfterMilliseconds?: number } = {},
): Promise<ServerProcess> {
  const port = options.port ?? (await freePort());
  const child = spawn(process.execPath, [MAIN, 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      MQTT_PORT: '0',
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'error',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let written = '';
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      resolve();
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      written = (written + chunk.toString('utf8')).slice(-OUTPUT_LENGTH_MAX);
    });
  }
  const api = openApi(`http://127.0.0.1:${port}`);
  const server: ServerProcess = {
    port,
    pid: child.pid ?? 0,
    api,
    exitCode: () => child.exitCode,
    output: () => written,
    ready: () => untilReady(api, () => (child.exitCode === null && child.signalCode === null ? undefined : written)),
    async kill() {
      child.kill('SIGKILL');
      await ended;
      api.close();
    },
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS_MAX);
      await ended;
      clearTimeout(force);
      api.close();
    },
  };
  if (options.killAfterMilliseconds !== undefined) {
    setTimeout(() => child.kill('SIGKILL'), options.killAfterMilliseconds).unref();
  }
  await server.ready().catch(async (error: unknown) => {
    await server.kill();
    throw error;
  });
  return server;
}

async function untilReady(api: Api, endedWith: () => string | undefined): Promise<void> {
  const giveUpAt = performance.now() + READY_MILLISECONDS_MAX;
  while (performance.now() < giveUpAt) {
    const written = endedWith();
    if (written !== undefined) throw new Error(`The server ended before it was ready: ${written}`);
    const answer = await api.call('GET /health/ready').catch(() => undefined);
    if (answer?.status === 200) return;
    await wait(50);
  }
  throw new Error('The server did not become ready');
}

/** A port of this machine that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
