import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CONTEXT_NAMES } from '@provender/contracts';
import { describeWithKafka, sharedKafka } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Api, openApi } from '../support/api.ts';
import { made } from '../support/town.ts';

// The town as `npm run provender -- up --split` runs it: processes, databases, Kafka and the gateway, started once.

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
type RunningApart = { readonly DATABASE_URLS: string };

const START = { timeout: 180_000 };
const LONG = { timeout: 90_000 };
const WAIT = { timeout: 60_000, interval: 100 };

describeWithKafka('up --split', () => {
  const folder = mkdtempSync(join(tmpdir(), 'provender-up-split-'));
  const said: string[] = [];
  let up: ChildProcess;
  let api: Api;

  beforeAll(async () => {
    const { brokers } = await sharedKafka();
    const { PATH = '', HOME = '' } = process.env;
    up = spawn(process.execPath, [MAIN, 'up', '--split'], {
      env: {
        ...{ PATH, HOME, PROVENDER_DATA: folder, PORT: '0', MQTT_PORT: '0', LOG_LEVEL: 'error', RATE_LIMIT: 'off' },
        ...{ KAFKA_BROKERS: brokers.join(','), KAFKA_TOPIC_PREFIX: `up-${process.pid}.`, KAFKA_PARTITIONS: '2' },
        PROVENDER_CLOCK: '2x',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    api = openApi(await addressSaid());
  }, START.timeout);

  afterAll(async () => {
    api?.close();
    if (up.exitCode === null && up.signalCode === null) {
      const ended = once(up, 'exit');
      up.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  }, LONG.timeout);

  async function addressSaid(): Promise<string> {
    for (const stream of [up.stdout, up.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => said.push(line));
    }
    await vi.waitFor(
      () => {
        if (up.exitCode !== null) throw new Error(`up has ended: ${said.join('\n')}`);
        expect(said.join('\n')).toContain('is ready at http');
      },
      { ...START, interval: 100 },
    );
    return /is ready at (http[^,\s]*)/.exec(said.join('\n'))?.[1] ?? '';
  }

  /** The process that the table names. */
  function processOf(name: string): number {
    const row = said.find((line) => new RegExp(`^ *${name} +\\d+ `).test(line)) ?? '';
    return Number(/\d+/.exec(row)?.[0]);
  }

  test(
    'given an empty folder, when it is ready, then the demo town is there and a croissant can be bought',
    LONG,
    async () => {
      const token = await api.signIn('customer@example.com', 'test');
      const { items: sites } = await made<{ items: { id: string; name: string }[] }>({ api }, 'GET /api/sites', {});
      const siteId = sites.find(({ name }) => name === 'Station Counter')?.id ?? '';
      const menu = await vi.waitFor(async () => {
        type Menu = { items: { productId: string; name: string; available: number | null }[] };
        const { items } = await made<Menu>({ api }, `GET /api/menu?siteId=${siteId}`, {});
        expect(items.find(({ name }) => name === 'Croissant')?.available).toBeGreaterThan(0);
        return items;
      }, WAIT);
      const productId = menu.find(({ name }) => name === 'Croissant')?.productId;
      const body = { siteId, lines: [{ productId, quantity: 1 }] };
      const first = await api.call('POST /api/orders', { token, key: 'first', body });
      expect({ status: first.status, body: first.text }).toMatchObject({ status: 201 });
      const again = await api.call('POST /api/orders', { token, key: 'first', body });
      expect(again.body['id']).toBe(first.body['id']);
      const account = await made<{ balance: { amount: number } }>({ api }, 'GET /api/bank/accounts/me', { token });
      expect(account.balance.amount).toBe(10_000 - 240);
    },
  );

  test('given a manager, when the whole is looked at, then all contexts are in it', LONG, async () => {
    const token = await api.signIn('manager@example.com', 'test');
    const verified = await made<{ checks: { ok: boolean }[] }>({ api }, 'GET /api/verify', { token });
    expect(verified.checks.length).toBeGreaterThan(50);
    expect(verified.checks.filter(({ ok }) => !ok)).toEqual([]);
    type Consumers = { items: { consumer: string; source: string }[]; missing?: string[] };
    const consumers = await made<Consumers>({ api }, 'GET /api/events/consumers', { token });
    expect(consumers.missing).toBeUndefined();
    expect(consumers.items).toContainEqual(expect.objectContaining({ consumer: 'orders', source: 'bank' }));
    expect(await made({ api }, 'GET /api/events/parked', { token })).toEqual({ items: [] });
    const { paths } = await made<{ paths: object }>({ api }, 'GET /openapi.json', {});
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/api/orders', '/api/bank/deposits', '/api/oauth/token', '/api/verify', '/api/menu']),
    );
  });

  test(
    'given each context has a database, when one of them asks for another, then it is not let in',
    LONG,
    async () => {
      const { DATABASE_URLS } = JSON.parse(readFileSync(join(folder, 'running-apart.json'), 'utf8')) as RunningApart;
      const urls = DATABASE_URLS.split(/,(?=\w+=)/);
      expect(urls.map((pair) => pair.split('=')[0])).toEqual([...CONTEXT_NAMES]);
      const bank = new URL(urls.find((pair) => pair.startsWith('bank='))?.slice('bank='.length) ?? '');
      expect(bank.pathname).toBe('/provender_bank');
      bank.pathname = '/provender_orders';
      const client = new pg.Client({ connectionString: bank.href });
      await expect(client.connect()).rejects.toThrow(/permission denied for database/);
    },
  );

  async function command(...args: readonly string[]): Promise<string> {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, PROVENDER_DATA: folder, LOG_LEVEL: 'error' };
    return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env })).stdout;
  }

  test('given commands beside it, when they are run, then they find the databases by themselves', LONG, async () => {
    const verified = await command('verify', '--json');
    expect(JSON.parse(verified)).toMatchObject({ ok: true });
    expect(await command('promote', 'staff@example.com')).toBe('staff@example.com: staff, manager\n');
    const token = await api.signIn('staff@example.com', 'test');
    await vi.waitFor(async () => expect((await api.call('GET /api/events/parked', { token })).status).toBe(200), WAIT);
  });

  test(
    'given identity is killed, when others are asked, then they know the token, and it is started again',
    LONG,
    async () => {
      const token = await api.signIn('customer@example.com', 'test');
      process.kill(processOf('identity'), 'SIGKILL');
      expect((await api.call('GET /api/bank/accounts/me', { token })).status).toBe(200);
      const away = await api.call('GET /api/users/me', { token });
      expect([200, 503]).toContain(away.status);
      // A bank that begins anew meanwhile knows the keys that it had before.
      process.kill(processOf('bank'), 'SIGKILL');
      for (const line of ['GET /api/bank/accounts/me', 'GET /api/users/me']) {
        await vi.waitFor(async () => expect((await api.call(line, { token })).status).toBe(200), WAIT);
      }
      expect(said.filter((line) => /^(identity|bank) runs again as process \d+$/.test(line))).toHaveLength(2);
    },
  );

  test('given Ctrl-C, when it ends, then nothing of it is left', LONG, async () => {
    const own = ['catalog', 'orders', 'operations', 'gateway'].map(processOf);
    const ended = once(up, 'exit');
    up.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    for (const pid of own) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    await expect(fetch(`${api.url}/health/live`)).rejects.toThrow(/fetch failed/);
  });
});
