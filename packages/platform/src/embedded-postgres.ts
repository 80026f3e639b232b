import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Binaries, findBinaries } from './embedded-postgres/binaries.ts';
import { type FolderLock, lockFolder } from './embedded-postgres/folder-lock.ts';
import { isRunning } from './embedded-postgres/processes.ts';
import {
  type Cluster,
  findServer,
  freePort,
  type RunningServer,
  serverEnvironment,
  startServer,
  stopServer,
} from './embedded-postgres/server.ts';
import { chooseServerUser, commandAs, giveFilesTo, giveTo, type ServerUser } from './embedded-postgres/server-user.ts';

export type EmbeddedPostgresOptions = {
  /** Everything is kept in here: the cluster, its password, the server's log. Made when it is not there. */
  readonly dataFolder: string;
  /** The port of 127.0.0.1 to listen on; without one, or with 0, a free one is picked at each start. */
  readonly port?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Server settings besides and before our own, such as `fsync`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
};

export type EmbeddedPostgres = {
  /** Of the database `provender`, as the role `provender` that owns it and may make roles and databases. */
  readonly url: string;
  /** Of the same database as the superuser. */
  readonly superuserUrl: string;
  readonly port: number;
  /** The server's process; another one after a crash. */
  readonly pid: number;
  /** Ends the server cleanly and gives the folder free. A second call waits for the first. */
  stop(): Promise<void>;
};

/** A server that belongs to another process: it is used and never stopped. */
export type AttachedPostgres = Pick<EmbeddedPostgres, 'url' | 'superuserUrl' | 'port' | 'pid'>;

const NAME = 'provender';
const SUPERUSER = 'postgres';
const UNFINISHED = 'cluster-unfinished-';
const START_RETRY_MILLISECONDS = 10_000;
const RETRY_PAUSE_MILLISECONDS = 200;
const WATCH_MILLISECONDS = 250;
const RESTARTS_PER_MINUTE_MAX = 5;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/** Reasons of a failed start that pass by themselves: a killed server's last backends, or somebody took our port. */
const PASSING = /shared memory block|lock file "postmaster\.pid"|Address already in use|could not bind/;

const NO_SOCKETS = /could not create any Unix-domain sockets/;

/** A socket's whole name may have 107 bytes; the server adds `/.s.PGSQL.` and a port to the folder. */
const SOCKET_FOLDER_BYTES_MAX = 90;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_permissions: '0700',
  max_connections: '200',
  shared_buffers: '256MB',
  // Short transactions gain nothing from compiled plans, and one that is compiled by mistake costs 100 ms.
  jit: 'off',
  // Segments are recycled rather than made anew under load, which showed as pauses.
  min_wal_size: '1GB',
  max_wal_size: '4GB',
  random_page_cost: '1.1',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts the PostgreSQL that is packaged with Provender on a folder, which it makes on the first start. A server that a
 * killed process left running there is taken over; one that was killed itself recovers. While it is ours, a server that
 * dies is started again on its port. Throws when another process uses the folder, and when the server gives up.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => {});
  const binaries = findBinaries();
  const dataFolder = resolve(options.dataFolder);
  const user = prepareFolder(dataFolder, binaries);
  const lock = lockFolder(dataFolder);
  try {
    const password = readPassword(dataFolder);
    giveFilesTo(user, dataFolder);
    const cluster: Cluster = {
      folder: join(dataFolder, 'cluster'),
      logFile: join(dataFolder, 'postgres.log'),
      user,
      postgres: binaries.postgres,
    };
    await makeCluster(cluster, binaries, dataFolder, log);
    const server = await takeOverOrStart(cluster, dataFolder, options, log);
    await ensureDatabase(server, password);
    // What root has written itself, its owner must be able to write when he starts the server the next time.
    giveFilesTo(user, dataFolder);
    return watchOver(cluster, server, settingsOf(dataFolder, options), password, lock, log);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whether a database was ever started on a folder. */
export function hasEmbeddedPostgres(dataFolder: string): boolean {
  return existsSync(join(dataFolder, 'cluster'));
}

/**
 * Finds the server that runs on a folder, for a command beside the process that started it, or after that was killed.
 * Takes no lock and changes nothing. Undefined where none runs, or where it does not come to take connections.
 */
export async function attachEmbeddedPostgres(dataFolder: string): Promise<AttachedPostgres | undefined> {
  const cluster = { folder: join(resolve(dataFolder), 'cluster') };
  const password = join(resolve(dataFolder), 'password');
  const server = findServer(cluster);
  if (server === undefined || !existsSync(password) || !(await answers(cluster, server))) return undefined;
  return { ...urlsOf(readFileSync(password, 'utf8').trim(), server), port: server.port, pid: server.pid };
}

function prepareFolder(dataFolder: string, binaries: Binaries): ServerUser {
  const made = mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const cluster = join(dataFolder, 'cluster');
  const around = dirname(made ?? dataFolder);
  const owner = statSync(existsSync(cluster) ? cluster : made === undefined ? dataFolder : around);
  const programs = statSync(binaries.postgres);
  const user = chooseServerUser({ data: dataFolder, around }, owner, programs, binaries.postgres);
  giveTo(user, made ?? dataFolder);
  return user;
}

function readPassword(dataFolder: string): string {
  const file = join(dataFolder, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

/** Makes the cluster beside its place and moves it there when it is whole: a start killed in between begins anew. */
async function makeCluster(
  cluster: Cluster,
  binaries: Binaries,
  dataFolder: string,
  log: (line: string) => void,
): Promise<void> {
  if (existsSync(cluster.folder)) {
    const major = Number.parseInt(readFileSync(join(cluster.folder, 'PG_VERSION'), 'utf8'), 10);
    if (major === binaries.major) return;
    throw new Error(
      `${cluster.folder} was made by PostgreSQL ${major}, this is ${binaries.major}: dump it with the former, ` +
        'or set PROVENDER_DATA to another folder',
    );
  }
  log('making the database cluster');
  for (const name of readdirSync(dataFolder).filter((entry) => entry.startsWith(UNFINISHED))) {
    rmSync(join(dataFolder, name), { recursive: true, force: true, maxRetries: 5 });
  }
  // A name of its own, because the initdb of a start that was killed may still be writing under the former one.
  const unfinished = join(dataFolder, `${UNFINISHED}${process.pid}`);
  mkdirSync(unfinished, { mode: 0o700 });
  giveTo(cluster.user, unfinished);
  const { command, args, account } = commandAs(cluster.user, binaries.initdb, [
    ...['-D', unfinished, '-U', SUPERUSER, `--pwfile=${join(dataFolder, 'password')}`, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
  ]);
  await promisify(execFile)(command, args, { ...account, cwd: dataFolder, env: serverEnvironment() });
  renameSync(unfinished, cluster.folder);
}

/** Takes over a server that runs on the folder with the settings wanted now, else stops it and starts one. */
async function takeOverOrStart(
  cluster: Cluster,
  dataFolder: string,
  options: EmbeddedPostgresOptions,
  log: (line: string) => void,
): Promise<RunningServer> {
  const settings = settingsOf(dataFolder, options);
  const wanted = JSON.stringify({ ...settings, port: options.port ?? 0 });
  const startedWith = join(dataFolder, 'started-with.json');
  const orphan = findServer(cluster);
  if (orphan !== undefined) {
    if (existsSync(startedWith) && readFileSync(startedWith, 'utf8') === wanted && (await answers(cluster, orphan))) {
      log(`taking over the PostgreSQL that is running (process ${orphan.pid}, port ${orphan.port})`);
      return orphan;
    }
    log(`stopping the PostgreSQL that is running (process ${orphan.pid})`);
    await stopServer(orphan.pid);
  }
  writeFileSync(startedWith, wanted);
  return startWithRetries(cluster, settings, options.port, log);
}

function settingsOf(dataFolder: string, options: EmbeddedPostgresOptions): Readonly<Record<string, string>> {
  return { ...SETTINGS, unix_socket_directories: socketFolderIn(dataFolder), ...options.settings };
}

/** The socket lies in the data folder, whose owner alone gets there; none where that has too long a name for one. */
function socketFolderIn(dataFolder: string): string {
  const isShort = Buffer.byteLength(dataFolder) <= SOCKET_FOLDER_BYTES_MAX;
  // The setting is a list, and quoting is not worth it for a folder with a comma in its name.
  return process.platform !== 'win32' && isShort && !/[",]/.test(dataFolder) ? dataFolder : '';
}

/** Whether a server found running comes to take connections; it may be in the middle of its recovery, or stuck. */
async function answers(cluster: Pick<Cluster, 'folder'>, server: RunningServer): Promise<boolean> {
  const giveUpAt = performance.now() + START_RETRY_MILLISECONDS;
  while (performance.now() < giveUpAt) {
    const now = findServer(cluster);
    if (now === undefined || now.pid !== server.pid) return false;
    if (now.ready) return true;
    await wait(RETRY_PAUSE_MILLISECONDS);
  }
  return false;
}

async function startWithRetries(
  cluster: Cluster,
  wanted: Readonly<Record<string, string>>,
  port: number | undefined,
  log: (line: string) => void,
): Promise<RunningServer> {
  let settings = wanted;
  const giveUpAt = performance.now() + START_RETRY_MILLISECONDS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startServer(cluster, { ...settings, port: String(port || (await freePort())) });
    } catch (error) {
      // Some file systems, such as folders shared with a virtual machine, have no sockets.
      const hasNoSockets = error instanceof Error && NO_SOCKETS.test(error.message);
      if (hasNoSockets) settings = { ...settings, unix_socket_directories: '' };
      const passing = hasNoSockets || (error instanceof Error && PASSING.test(error.message));
      if (!passing || performance.now() > giveUpAt) throw error;
      if (attempt === 1) log('PostgreSQL cannot start yet (a killed one is still ending, or its port is taken)');
      await wait(RETRY_PAUSE_MILLISECONDS);
    }
  }
}

/** Makes the role and the database of the application when they are not there. */
async function ensureDatabase(server: RunningServer, password: string): Promise<void> {
  const client = new pg.Client({
    connectionString: connectionUrl(SUPERUSER, password, server, 'postgres'),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
  });
  await client.connect();
  try {
    const roles = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [NAME]);
    if (roles.rowCount === 0) {
      await client.query(`CREATE ROLE ${NAME} LOGIN CREATEDB CREATEROLE PASSWORD ${client.escapeLiteral(password)}`);
    }
    const databases = await client.query('SELECT FROM pg_database WHERE datname = $1', [NAME]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${NAME} OWNER ${NAME}`);
  } finally {
    await client.end();
  }
}

function watchOver(
  cluster: Cluster,
  first: RunningServer,
  settings: Readonly<Record<string, string>>,
  password: string,
  lock: FolderLock,
  log: (line: string) => void,
): EmbeddedPostgres {
  let server = first;
  let restarting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  const restarts: number[] = [];

  const restart = async () => {
    const aMinuteAgo = performance.now() - 60_000;
    if (restarts.filter((at) => at > aMinuteAgo).length >= RESTARTS_PER_MINUTE_MAX) {
      clearInterval(watch);
      log(`PostgreSQL died ${RESTARTS_PER_MINUTE_MAX} times within a minute; it stays down, see ${cluster.logFile}`);
      return;
    }
    restarts.push(performance.now());
    log(`PostgreSQL (process ${server.pid}) died; starting it again on port ${server.port}`);
    try {
      server = await startWithRetries(cluster, settings, server.port, log);
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
    }
  };
  const watch = setInterval(() => {
    if (stopping !== undefined || restarting !== undefined || isRunning(server.pid)) return;
    restarting = restart().finally(() => {
      restarting = undefined;
    });
  }, WATCH_MILLISECONDS);
  watch.unref();

  const stop = async () => {
    clearInterval(watch);
    await restarting;
    try {
      await stopServer(server.pid);
    } finally {
      lock.release();
    }
  };
  return {
    ...urlsOf(password, first),
    port: first.port,
    get pid() {
      return server.pid;
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

type Address = Pick<RunningServer, 'port' | 'socketFolder'>;

function urlsOf(password: string, address: Address): { readonly url: string; readonly superuserUrl: string } {
  return {
    url: connectionUrl(NAME, password, address, NAME),
    superuserUrl: connectionUrl(SUPERUSER, password, address, NAME),
  };
}

/**
 * With `host` as libpq and the driver have it, where there is a socket: a round trip over it costs both processes
 * 220 µs of processor time, over the loopback address 300 µs. Whoever drops the query of the URL goes there.
 */
function connectionUrl(role: string, password: string, { port, socketFolder }: Address, database: string): string {
  const url = `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  return socketFolder === undefined ? url : `${url}?host=${encodeURIComponent(socketFolder)}`;
}
