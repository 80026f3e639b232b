import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const READY_SECONDS_MAX = 120;

export type ServerProcess = { readonly pid: number; readonly port: number; stop(): Promise<void> };

/** Starts Provender as anyone would, in a process of its own, on a given database, and waits until it is ready. */
export async function startServer(databaseUrl: string): Promise<ServerProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--max-semi-space-size=64', MAIN, 'start'], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: String(port),
      MQTT_PORT: '0',
      RATE_LIMIT: 'off',
      PROVENDER_DEMO: 'on',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let attempts = 0; ; attempts += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (ready?.ok === true) break;
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode} before it was ready`);
    if (attempts > READY_SECONDS_MAX * 10) throw new Error('The server did not become ready');
    await wait(100);
  }
  return { pid: child.pid ?? 0, port, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
