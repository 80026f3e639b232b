import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isRunning, programOf, sendSignal, waitUntil } from './processes.ts';
import { commandAs, type ServerUser } from './server-user.ts';

/** A folder with one database cluster in it, and how to run its server. */
export type Cluster = {
  readonly folder: string;
  readonly logFile: string;
  readonly user: ServerUser;
  readonly postgres: string;
};

/** A server that runs, as its own `postmaster.pid` tells it. */
export type RunningServer = {
  readonly pid: number;
  readonly port: number;
  /** The folder of its socket; undefined where it listens on the loopback address alone. */
  readonly socketFolder: string | undefined;
  readonly ready: boolean;
};

const READY_WAIT_MILLISECONDS = 60_000;
const FAST_STOP_MILLISECONDS = 30_000;
const HARD_STOP_MILLISECONDS = 5_000;
const LOG_BYTES_MAX = 10_000_000;
const LOG_TAIL_CHARACTERS = 2_000;

/** The server of a cluster, if one runs. A `postmaster.pid` left by a server that was killed is not one. */
export function findServer(cluster: Pick<Cluster, 'folder'>): RunningServer | undefined {
  const file = pidFile(cluster);
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!(pid > 0) || !isRunning(pid) || !programOf(pid)?.includes('postgres')) return undefined;
  const port = Number.parseInt(lines[3] ?? '', 10);
  return { pid, port, socketFolder: lines[4]?.trim() || undefined, ready: lines[7]?.trim() === 'ready' };
}

/**
 * Starts the server of a cluster and waits until it takes connections, recovery after a crash included.
 * Throws with the end of its log when it gives up.
 */
export async function startServer(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  // A pid file whose process is another program now (the number was used again) would stop the server from starting.
  if (findServer(cluster) === undefined) rmSync(pidFile(cluster), { force: true });
  rotateLog(cluster.logFile);
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { command, args, account } = commandAs(cluster.user, cluster.postgres, ['-D', cluster.folder, ...options]);
  const log = openSync(cluster.logFile, 'a', 0o600);
  const logStart = statSync(cluster.logFile).size;
  // A process group of its own, so that Ctrl-C in a terminal reaches the caller alone, who stops the server last.
  const child = spawn(command, args, {
    ...account,
    cwd: cluster.folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: serverEnvironment(),
  });
  closeSync(log);
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  child.unref();
  await waitUntil(() => ended || isReady(cluster, child.pid), READY_WAIT_MILLISECONDS);
  const server = findServer(cluster);
  if (server?.ready && server.pid === child.pid) return server;
  if (child.pid !== undefined && !ended) await stopServer(child.pid);
  throw new Error(`PostgreSQL did not start; the end of its log:\n${readTail(cluster.logFile, logStart)}`);
}

/** Stops a server: transactions are rolled back and a checkpoint is written; one that hangs is ended the hard way. */
export async function stopServer(pid: number): Promise<void> {
  const ended = () => !isRunning(pid);
  sendSignal(pid, 'SIGINT');
  if (await waitUntil(ended, FAST_STOP_MILLISECONDS)) return;
  sendSignal(pid, 'SIGQUIT');
  if (await waitUntil(ended, HARD_STOP_MILLISECONDS)) return;
  sendSignal(pid, 'SIGKILL');
  if (await waitUntil(ended, HARD_STOP_MILLISECONDS)) return;
  throw new Error(`PostgreSQL (process ${pid}) could not be stopped`);
}

/** A port of the loopback address that is free now. */
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

/** The server's own environment: nothing of the caller's PG… variables or locale reaches it. */
export function serverEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function isReady(cluster: Cluster, pid: number | undefined): boolean {
  const server = findServer(cluster);
  return server !== undefined && server.ready && server.pid === pid;
}

function pidFile(cluster: Pick<Cluster, 'folder'>): string {
  return join(cluster.folder, 'postmaster.pid');
}

function rotateLog(file: string): void {
  if (existsSync(file) && statSync(file).size > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
}

function readTail(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString('utf8').slice(-LOG_TAIL_CHARACTERS);
}
