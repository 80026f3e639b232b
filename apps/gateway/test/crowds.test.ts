import { request as ask, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Gateway, openGateway } from '../src/index.ts';
import { type FakeContext, openFakeContext, sendJson } from './fake-context.ts';

/** More than the connections for short requests to one process. */
const CROWD = 300;
const CONNECTIONS = 256;
const WAIT = { timeout: 20_000, interval: 50 };

let notifications: FakeContext;
let orders: FakeContext;
let gateway: Gateway;
const slow: ServerResponse[] = [];
const beginning: ServerResponse[] = [];

beforeAll(async () => {
  notifications = await openFakeContext(({ url }, response) => {
    if (url === '/api/live?late') return void beginning.push(response);
    if (url !== '/api/live') return sendJson(response, 200, { by: 'notifications' });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: begin\ndata: {}\n\n');
  });
  orders = await openFakeContext(({ url }, response) => {
    if (url === '/api/orders/slow') return void slow.push(response);
    if (url === '/api/orders/nothing') return void response.writeHead(204).end();
    return sendJson(response, 201, { by: 'orders' });
  });
  gateway = await openGateway({
    ...({ host: '127.0.0.1', port: 0, rateLimit: false, logLevel: 'silent' } as const),
    upstreams: [
      { name: 'notifications', address: notifications.address },
      { name: 'orders', address: orders.address },
    ],
  });
  await gateway.start();
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([notifications, orders].map((each) => each.kill()));
});

type Answered = { readonly status: number; readonly retryAfter: string | undefined; readonly type: string };

/** Asks on a connection of its own. Nobody reads on where it is a stream; `leave` goes away in the middle of it. */
function call(path: string, method = 'GET'): { readonly answered: Promise<Answered>; leave(): void } {
  const asking = ask(gateway.url() + path, { method, agent: false });
  const answered = new Promise<Answered>((resolve, reject) => {
    asking.on('error', reject).on('response', (answer) => {
      const { 'retry-after': retryAfter, 'content-type': type = '' } = answer.headers;
      answer.on('error', () => {}).resume();
      resolve({ status: answer.statusCode ?? 0, retryAfter, type });
    });
  });
  answered.catch(() => {});
  asking.end();
  return { answered, leave: () => asking.destroy() };
}

async function statuses(calls: readonly { readonly answered: Promise<Answered> }[]): Promise<number[]> {
  const answers = await Promise.all(calls.map(({ answered }) => answered));
  return [...new Set(answers.map(({ status }) => status))];
}

function openConnections(): Promise<number> {
  return new Promise((resolve) => {
    gateway.http.fastify.server.getConnections((_error, count) => resolve(count));
  });
}

async function openStreams(): Promise<number> {
  const metrics = await (await fetch(`${gateway.url()}/metrics`)).text();
  return Number(/^provender_gateway_live_streams (\d+)$/m.exec(metrics)?.[1]);
}

describe('given more who listen than a process has connections for short requests', () => {
  test('when one more listens, or asks for something else there, then both are answered at once', async () => {
    const listening = Array.from({ length: CROWD }, () => call('/api/live'));
    expect(await statuses(listening)).toEqual([200]);
    expect(await openStreams()).toBe(CROWD);
    expect(await statuses([call('/api/notifications/messages')])).toEqual([200]);
    for (const { leave } of listening) leave();
    await vi.waitFor(async () => expect(await openStreams()).toBe(0), WAIT);
  }, 30_000);

  test('when somebody is gone before the stream begins, then it ends there and nothing breaks', async () => {
    const { leave } = call('/api/live?late');
    await vi.waitFor(() => expect(beginning).toHaveLength(1), WAIT);
    leave();
    // The gateway knows that the caller is gone once it has answered somebody who came later.
    await vi.waitFor(async () => expect(await openConnections()).toBeLessThanOrEqual(1), WAIT);
    const [late] = beginning;
    const closed = new Promise((resolve) => late?.once('close', resolve));
    late?.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    await closed;
    expect(await statuses([call('/api/notifications/messages')])).toEqual([200]);
  }, 30_000);
});

describe('given as many slow requests to a process as it has connections', () => {
  async function fill(): Promise<ReturnType<typeof call>[]> {
    const calls = Array.from({ length: CONNECTIONS }, () => call('/api/orders/slow', 'POST'));
    await vi.waitFor(() => expect(slow).toHaveLength(CONNECTIONS), WAIT);
    return calls;
  }

  function answerAll(): void {
    for (const response of slow.splice(0)) sendJson(response, 201, {});
  }

  test('when one more asks, then it waits for a moment only, and other contexts are answered', async () => {
    const calls = await fill();
    const late = call('/api/orders');
    expect(await statuses([call('/api/notifications/messages')])).toEqual([200]);
    expect(await late.answered).toMatchObject({
      ...{ status: 503, retryAfter: '1' },
      type: expect.stringContaining('application/problem+json'),
    });
    expect(orders.asked.filter(({ url }) => url === '/api/orders')).toEqual([]);
    const patient = call('/api/orders');
    answerAll();
    expect(await statuses([...calls, patient])).toEqual([201]);
  }, 30_000);

  test('when callers go away before they are answered, then others get their places', async () => {
    for (const { leave } of await fill()) leave();
    answerAll();
    const again = await fill();
    answerAll();
    expect(await statuses(again)).toEqual([201]);
  }, 30_000);

  test('when answers have no body, then their places are free again', async () => {
    const path = '/api/orders/nothing';
    for (const method of ['HEAD', 'GET']) {
      expect(await statuses(Array.from({ length: CONNECTIONS }, () => call(path, method)))).toEqual([204]);
    }
    const again = await fill();
    answerAll();
    expect(await statuses(again)).toEqual([201]);
  }, 30_000);
});
