import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRunning, waitUntil } from '../src/embedded-postgres/processes.ts';
import {
  attachEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  hasEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../src/embedded-postgres.ts';

const WAIT_MILLISECONDS = 15_000;

let dataFolder: string;
let servers: EmbeddedPostgres[];
let children: ChildProcess[];
let lines: string[];

beforeEach(() => {
  dataFolder = join(mkdtempSync(join(tmpdir(), 'provender-postgres-')), 'data');
  servers = [];
  children = [];
  lines = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) await server.stop();
  await stopLeftBehind();
  rmSync(dirname(dataFolder), { recursive: true, force: true });
});

/** A test that failed half-way may leave an orphan of a killed child: end it as the next start would. */
async function stopLeftBehind(): Promise<void> {
  const file = join(dataFolder, 'cluster', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  if (!isRunning(pid)) return;
  process.kill(pid, 'SIGQUIT');
  await waitUntil(() => !isRunning(pid), WAIT_MILLISECONDS);
}

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataFolder,
    settings: { min_wal_size: '80MB', shared_buffers: '16MB' },
    log: (line) => lines.push(line),
    ...options,
  });
  servers.push(server);
  return server;
}

/** Starts a server from another process, as a second `npm start` would. */
async function startInChild(): Promise<{ child: ChildProcess; url: string; port: number; pid: number }> {
  const program = new URL('./embedded-postgres-child.ts', import.meta.url).pathname;
  const child = spawn('node', [program, dataFolder], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, ...JSON.parse(String(line)) };
}

async function killHard(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  test('given an empty folder, when started, then a database is there for its owner alone', async () => {
    const server = await start();

    expect(await query(server.url, "SELECT current_database() AS db, current_user AS who, 'ä' < 'z' AS lower")).toEqual(
      [{ db: 'provender', who: 'provender', lower: false }],
    );
    expect(
      await query(server.url, 'SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user'),
    ).toEqual([{ rolsuper: false, rolcreaterole: true }]);
    expect(await query(server.superuserUrl, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([
      { rolsuper: true },
    ]);
    expect(await query(server.url, 'SHOW jit')).toEqual([{ jit: 'off' }]);
    expect(await query(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(statSync(join(dataFolder, 'password')).mode & 0o777).toBe(0o600);
    await expect(query(server.url.replace(/:[^:@]+@/, ':guess@'), 'SELECT 1')).rejects.toThrow(/password/);
  });

  test('given a row written, when stopped and started again, then it is there and no process was left', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept (it text)');
    await query(first.url, "INSERT INTO kept VALUES ('bread')");
    const pid = first.pid;
    await Promise.all([first.stop(), first.stop()]);

    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(dataFolder, 'cluster', 'postmaster.pid'))).toBe(false);
    const second = await start();
    expect(await query(second.url, 'SELECT it FROM kept')).toEqual([{ it: 'bread' }]);
    expect(readFileSync(join(dataFolder, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });

  test('given a folder in use, when started by another process, then it is refused with the holder named', async () => {
    const { child } = await startInChild();

    await expect(start()).rejects.toThrow(
      `${dataFolder} is already used by process ${child.pid}; stop it or set PROVENDER_DATA to another folder`,
    );
  });

  test('given a parent killed, when started again, then its server is taken over', async () => {
    const orphan = await startInChild();
    await query(orphan.url, 'CREATE TABLE kept (it text)');
    await killHard(orphan.child);
    expect(isRunning(orphan.pid)).toBe(true);

    const server = await start({ settings: undefined });

    expect({ pid: server.pid, port: server.port }).toEqual({ pid: orphan.pid, port: orphan.port });
    expect(lines).toContain(`taking over the PostgreSQL that is running (process ${orphan.pid}, port ${orphan.port})`);
    expect(await query(server.url, 'SELECT * FROM kept')).toEqual([]);
    await server.stop();
    expect(isRunning(orphan.pid)).toBe(false);
  });

  test('given a parent killed, when started with other settings, then a new server takes over', async () => {
    const orphan = await startInChild();
    await killHard(orphan.child);

    const server = await start({ settings: { work_mem: '5MB' } });

    expect(isRunning(orphan.pid)).toBe(false);
    expect(await query(server.url, 'SHOW work_mem')).toEqual([{ work_mem: '5MB' }]);
  });

  test('given parent and server killed, when started, then it recovers all that was committed', async () => {
    const orphan = await startInChild();
    await query(orphan.url, 'CREATE TABLE kept (it text)');
    await query(orphan.url, "INSERT INTO kept SELECT 'loaf ' || n FROM generate_series(1, 10000) n");
    await killHard(orphan.child);
    process.kill(orphan.pid, 'SIGKILL');

    const server = await start();

    expect(await query(server.url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 10_000 }]);
    expect(readFileSync(join(dataFolder, 'postgres.log'), 'utf8')).toContain('not properly shut down');
  });

  test('given a folder in use, when a command attaches, then it uses the server beside the process that has it', async () => {
    expect(hasEmbeddedPostgres(dataFolder)).toBe(false);
    expect(await attachEmbeddedPostgres(dataFolder)).toBeUndefined();
    const server = await start();
    await query(server.url, 'CREATE TABLE kept (it text)');

    const attached = await attachEmbeddedPostgres(dataFolder);

    expect(attached).toEqual({
      url: server.url,
      superuserUrl: server.superuserUrl,
      port: server.port,
      pid: server.pid,
    });
    expect(await query(attached?.url ?? '', 'SELECT * FROM kept')).toEqual([]);
    await server.stop();
    expect(await attachEmbeddedPostgres(dataFolder)).toBeUndefined();
    expect(hasEmbeddedPostgres(dataFolder)).toBe(true);
  });

  test('given a parent killed, when a command attaches, then it uses the server that was left behind', async () => {
    const orphan = await startInChild();
    await killHard(orphan.child);

    expect(await attachEmbeddedPostgres(dataFolder)).toMatchObject({ pid: orphan.pid, port: orphan.port });
  });

  test('given a running server, when it alone is killed, then it is back on its port by itself', async () => {
    const server = await start();
    await query(server.url, 'CREATE TABLE kept (it text)');
    const killed = server.pid;
    process.kill(killed, 'SIGKILL');

    expect(await waitUntil(() => server.pid !== killed, WAIT_MILLISECONDS)).toBe(true);
    expect(await query(server.url, 'SELECT * FROM kept')).toEqual([]);
    expect(lines.join('\n')).toContain(`PostgreSQL (process ${killed}) died; starting it again`);
  });

  test('given a pid file whose process is another program now, when started, then the file is ignored', async () => {
    await (await start()).stop();
    writeFileSync(
      join(dataFolder, 'cluster', 'postmaster.pid'),
      `${process.pid}\n${dataFolder}\n0\n5432\n\n\n\nready\n`,
    );

    const server = await start();

    expect(server.pid).not.toBe(process.pid);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('given a port that somebody frees within seconds, when started on it, then it waits for the port', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const starting = start({
      port,
      log: () => holder.close(),
    });

    expect((await starting).port).toBe(port);
  });

  test('given a cluster of an older PostgreSQL, when started, then it says so and touches nothing', async () => {
    mkdirSync(join(dataFolder, 'cluster'), { recursive: true });
    writeFileSync(join(dataFolder, 'cluster', 'PG_VERSION'), '15\n');

    await expect(start()).rejects.toThrow(/was made by PostgreSQL 15, this is 18/);
  });

  test('given a first start killed half-way, when started again, then the cluster is made anew', async () => {
    mkdirSync(join(dataFolder, 'cluster-unfinished-1'), { recursive: true });
    writeFileSync(join(dataFolder, 'cluster-unfinished-1', 'PG_VERSION'), '18\n');

    const server = await start();

    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataFolder, 'cluster-unfinished-1'))).toBe(false);
  });

  test('given a setting that PostgreSQL refuses, when started, then its own words are in the error', async () => {
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(/shared_buffers/);
  });
});
