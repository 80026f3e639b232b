import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type House, hurry, messages, ordered, openHouse, paid, placed, SOON } from './house.ts';

// Against a real Redis, where there is one: a redis-server on the path (.ci/run installs it).
const REDIS = spawnSync('redis-server', ['--version']).status === 0;
if (!REDIS) console.warn('No redis-server here: the tests of the channel redis are skipped.');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!REDIS)('Redis, or skipped where there is no redis-server', () => {
  let port: number;
  let redis: ChildProcess;
  let house: House;

  async function startRedis(): Promise<void> {
    redis = spawn('redis-server', ['--port', `${port}`, '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' });
    await vi.waitFor(async () => {
      const probe = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } });
      probe.on('error', () => {});
      await probe.connect();
      probe.destroy();
    }, SOON);
  }

  async function stopRedis(): Promise<void> {
    const gone = new Promise((resolve) => redis.once('exit', resolve));
    redis.kill('SIGKILL');
    await gone;
  }

  beforeAll(async () => {
    port = await freePort();
    await startRedis();
    house = await openHouse({ REDIS_URL: `redis://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await house.close();
    await stopRedis();
  });

  async function listen(): Promise<{ heard: { channel: string; event: object }[]; leave(): void }> {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on('error', () => {});
    await client.connect();
    const heard: { channel: string; event: object }[] = [];
    await client.pSubscribe('provender.*', (text, channel) => {
      heard.push({ channel, event: JSON.parse(text) as object });
    });
    return { heard, leave: () => client.destroy() };
  }

  /** Says something that comes after all that was said: a double of that would have come by then. */
  async function sayLast(heard: readonly { readonly event: object }[]): Promise<string> {
    const order = ordered(house);
    await house.test.hear([placed(order)]);
    const isHeard = ({ event }: { event: object }) => JSON.stringify(event).includes(order.orderId);
    await vi.waitFor(async () => {
      await hurry(house);
      expect(heard.some(isHeard)).toBe(true);
    }, SOON);
    return order.orderId;
  }

  test('given a program that listens, when an order is placed and paid, then it gets both as CloudEvents', async () => {
    const { heard, leave } = await listen();
    const order = ordered(house);
    await house.test.hear([placed(order), paid(order)]);
    await vi.waitFor(() => expect(heard).toHaveLength(2), SOON);
    await sayLast(heard);
    expect(heard.map(({ channel }) => channel)).toEqual([
      'provender.orders.order-placed',
      'provender.orders.order-paid',
      'provender.orders.order-placed',
    ]);
    expect(heard[1]?.event).toMatchObject({
      ...{ specversion: '1.0', source: 'orders', type: 'orders.order-paid.v1', subject: order.orderId },
      ...{ id: expect.any(String), time: expect.any(String), partitionkey: order.siteId },
      ...{ datacontenttype: 'application/json', data: { orderId: order.orderId } },
    });
    leave();
  });

  test('given a Redis that dies, when it is back, then what happened meanwhile is published, once', async () => {
    await stopRedis();
    const order = ordered(house);
    await house.test.hear([placed(order)]);
    await vi.waitFor(async () => {
      const [message] = await messages(house, `?orderId=${order.orderId}&channel=redis`);
      expect(message).toMatchObject({ status: 'waiting', attempts: [{ ok: false }] });
    }, SOON);
    await startRedis();
    const { heard, leave } = await listen();
    await vi.waitFor(async () => {
      await hurry(house);
      expect(heard.length).toBeGreaterThan(0);
    }, SOON);
    const last = await sayLast(heard);
    expect(heard.map(({ event }) => event)).toMatchObject([
      { data: { orderId: order.orderId } },
      { data: { orderId: last } },
    ]);
    leave();
  });
});
