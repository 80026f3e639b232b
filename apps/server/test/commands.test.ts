import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { attachEmbeddedPostgres, SettingsSchema, startEmbeddedPostgres } from '@provender/platform';
import { createTestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LISTENS } from '../src/verify/log-checks.ts';
import type { Verification } from '../src/verify/run-checks.ts';

// The commands as somebody types them, on one data folder that runs and rests in turn.

const MAIN = new URL('../src/main.ts', import.meta.url).pathname;
const dataFolder = join(mkdtempSync(join(tmpdir(), 'provender-commands-')), 'data');
let server: ChildProcess | undefined;

beforeAll(() => startServer(), 90_000);
afterAll(async () => {
  await stopServer();
  rmSync(dirname(dataFolder), { recursive: true, force: true });
});

function environment(more: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, PROVENDER_DATA: dataFolder, PORT: '0', MQTT_PORT: '0', LOG_LEVEL: 'error', ...more };
}

/** Starts the system on the folder, with a fast clock, and waits until it says that it is ready. */
async function startServer(): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'start'], {
    env: environment({ PROVENDER_CLOCK: '60x' }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server = child;
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('is ready at')) return;
  throw new Error('The server ended before it was ready');
}

async function stopServer(): Promise<void> {
  if (server === undefined || server.exitCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}

type Ran = { readonly code: number; readonly out: string; readonly err: string };

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(more), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

/** Runs SQL as the superuser of the embedded database, which is started for it where it rests. */
async function sql<Row = Record<string, unknown>>(...texts: readonly string[]): Promise<Row[]> {
  const running = await attachEmbeddedPostgres(dataFolder);
  const started = running === undefined ? await startEmbeddedPostgres({ dataFolder }) : undefined;
  const client = new pg.Client({ connectionString: (running ?? started)?.superuserUrl });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const text of texts) rows = (await client.query(text)).rows as Row[];
    return rows;
  } finally {
    await client.end();
    await started?.stop();
  }
}

const isServing = () => existsSync(join(dataFolder, 'cluster', 'postmaster.pid'));
const clockRow = () => sql('SELECT wall, business, rate FROM platform.clock');

describe('verify, beside a running system', () => {
  test('given the demo town, when verified, then all hold and nothing is changed, not even the clock', async () => {
    const clock = await clockRow();
    const { code, out, err } = await run(['verify']);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ok {3}P1 a unit is in one open hold or sale at most$/m);
    expect(out.trim().split('\n').at(-1)).toMatch(/^As of \S+Z: all \d+ checks hold\.$/);
    expect(out).not.toContain('FAIL');
    expect(server?.exitCode).toBeNull();
    expect(await clockRow()).toEqual(clock);
    expect(clock).toMatchObject([{ rate: 60 }]);
  });

  test('given a tampered balance, when verified, then it fails with the rows that show it', async () => {
    await sql("UPDATE bank.accounts SET balance = balance + 1 WHERE kind = 'customer' AND balance > 0");
    const text = await run(['verify']);
    const json = await run(['verify', '--json', '--since', '2026-01-01T00:00:00Z']);
    await sql("UPDATE bank.accounts SET balance = balance - 1 WHERE kind = 'customer' AND balance > 0");

    expect(text.code).toBe(1);
    expect(text.out).toMatch(/^FAIL P5 an account's balance is the sum of its entries[^\n]*\n {7}\{"accountId"/m);
    expect(text.out).toMatch(/3 of \d+ checks do not hold\.\n$/);
    expect(json.code).toBe(1);
    // What the command itself has just printed.
    const outcome = JSON.parse(json.out) as Verification;
    expect(outcome.ok).toBe(false);
    expect(outcome.checks.filter((check) => !check.ok).map(({ promise }) => promise)).toEqual(['P5', 'P5', 'P7']);
    expect((await run(['verify'])).code).toBe(0);
  });

  test('given options that are wrong, when run, then they are explained and nothing is checked', {
    timeout: 90_000,
  }, async () => {
    expect(await run(['verify', '--since', 'yesterday'])).toMatchObject({
      code: 2,
      err: '--since yesterday: must be a time such as 2026-11-21T00:00:00Z.\n',
    });
    expect(await run(['verify', '--help'])).toMatchObject({ code: 0, err: '' });
    expect(await run(['verify', '--fix'])).toMatchObject({ code: 2, out: '' });
    expect(await run(['trim-log', '--before', '2026-01-01T00:00:00Z'])).toMatchObject({ code: 2 });
    expect(await run(['trim-log', 'orders', '--before', 'tomorrow'])).toMatchObject({ code: 2 });
    expect(await run(['republish', 'everything'])).toMatchObject({ code: 2 });
    expect(await run(['republish', 'orders', '--from', '0'])).toMatchObject({ code: 2 });
  });

  test('given a log, when it is republished beside the system, then the relay begins again where it is told', async () => {
    expect(await run(['republish', 'catalog', '--from', '3'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^The log of catalog is carried to Kafka again from event 3 on; it ends at \d+ now.\n$/,
      ),
      err: '',
    });
    expect(await run(['republish', 'catalog', '--from', '999999999'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^The log of catalog ends at \d+: nothing is carried again.\n$/),
    });
  });

  test('given a log in its first part, when trimmed beside the system, then that is kept and it says why', async () => {
    expect(await run(['trim-log', 'catalog', '--before', '2100-01-01T00:00:00Z'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^events 0 to 999999: kept, it is not full: the log has come to \d+\n/),
      err: '',
    });
  });
});

describe('verify and trim-log, while the system rests', () => {
  beforeAll(stopServer);

  test('given a rest of days, when verified, then it is judged as of the last event and stopped again', async () => {
    const [last] = await sql<{ time: Date }>('SELECT max(time) AS time FROM inventory.outbox');
    // An hour on the wall is sixty of business time, in which no sweep has run.
    await sql('UPDATE platform.clock SET wall = wall - 3600000');

    const { code, out } = await run(['verify']);

    expect({ code, failed: out.split('\n').filter((line) => line.startsWith('FAIL')) }).toEqual({
      code: 0,
      failed: [],
    });
    const at = /As of (\S+):/.exec(out)?.[1] ?? '';
    expect(Date.parse(at)).toBeGreaterThanOrEqual(last?.time.getTime() ?? Number.NaN);
    expect(Date.parse(at)).toBeLessThan((last?.time.getTime() ?? 0) + 30 * 3_600_000);
    expect(isServing()).toBe(false);
  });

  test('given a full part that all have read, when trimmed, then it goes if it is old enough', async () => {
    await sql(
      `UPDATE identity.outbox_head SET position = 999999`,
      `INSERT INTO identity.outbox VALUES
         (999999, gen_random_uuid(), 'identity.test.v1', 'x', 'x', '2026-01-01T00:00:00Z', NULL, '{}')`,
      'SELECT identity.outbox_extend()',
      `INSERT INTO identity.outbox VALUES
         (1000000, gen_random_uuid(), 'identity.test.v1', 'x', 'x', '2026-02-01T00:00:00Z', NULL, '{}')`,
      'UPDATE identity.outbox_head SET position = 1000000',
    );
    expect((await run(['trim-log', 'identity', '--before', '2026-01-15T00:00:00Z'])).out).toMatch(
      /^events 0 to 999999: kept, not everybody has consumed it: bank \(at \d+\), catalog \(at \d+\), /,
    );
    const consumers = Object.entries(LISTENS).filter(([, sources]) => sources.includes('identity'));
    for (const [consumer] of consumers) {
      await sql(`UPDATE ${consumer}.cursors SET position = 1000000 WHERE source = 'identity'`);
    }
    expect((await run(['trim-log', 'identity', '--before', '2025-12-31T00:00:00Z'])).out).toMatch(
      /^events 0 to 999999: kept, its newest event is of 2026-01-01T00:00:00.000Z\n/,
    );

    const trimmed = await run(['trim-log', 'identity', '--before', '2026-01-15T00:00:00Z']);

    expect(trimmed).toMatchObject({ code: 0, out: expect.stringMatching(/^events 0 to 999999: dropped\n/) });
    expect(await sql('SELECT count(*)::integer AS events FROM identity.outbox')).toEqual([{ events: 1 }]);
    const { code, out } = await run(['verify']);
    expect({ code, failed: out.split('\n').filter((line) => line.startsWith('FAIL')) }).toEqual({
      code: 0,
      failed: [],
    });
    expect(isServing()).toBe(false);
  });
});

describe('commands without a database', () => {
  const nowhere = join(dirname(dataFolder), 'nowhere');

  test.for([['verify'], ['trim-log', 'orders', '--before', '2026-01-01T00:00:00Z']])(
    'given a folder that was never started, when %s is run, then one line says so and nothing is made',
    async (args) => {
      const ran = await run(args, { PROVENDER_DATA: nowhere });

      expect(ran).toEqual({
        code: 1,
        out: '',
        err: `There is no database in ${nowhere} yet: run npm start first, or set PROVENDER_DATA or DATABASE_URL.\n`,
      });
      expect(existsSync(nowhere)).toBe(false);
    },
  );

  test('given a server of your own that Provender never ran on, when verified, then one line says so', async () => {
    const database = await createTestDatabase();
    const ran = await run(['verify'], { DATABASE_URL: database.url });
    await database.drop();

    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'Provender has never been started on this database: run npm start first.\n',
    });
  });

  test('given a wrong command and help, when run, then every command and every setting stands there', async () => {
    const wrong = await run(['frobnicate']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^There is no command "frobnicate"\. Known are: /);
    const commands = /Known are: (.*)\.\n$/.exec(wrong.err)?.[1]?.split(', ') ?? [];
    expect(commands).toEqual(expect.arrayContaining(['start', 'verify', 'replay', 'trim-log', 'help']));

    const { code, out } = await run(['help']);

    expect(code).toBe(0);
    for (const command of commands.filter((name) => name !== 'start')) {
      expect(out).toContain(`npm run provender -- ${command}`);
    }
    expect(out).toMatch(/npm start\b[\s\S]*npm run bench\b[\s\S]*npm test\b/);
    const names = Object.values(SettingsSchema.properties).map((setting) => {
      // Each property carries its options, as the schema's own file says.
      return (setting as unknown as { readonly setting: { readonly env: string } }).setting.env;
    });
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) expect(out).toMatch(new RegExp(`^${name} `, 'm'));
  });
});
