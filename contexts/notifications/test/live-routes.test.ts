import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@provender/contracts';
import { createHttpServer, createLogger, createMetrics, type HttpServer } from '@provender/platform';
import { TEST_USERS } from '@provender/platform/testing';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type House, NEIGHBOUR, openHouse, ordered, placed, SOON } from './house.ts';

const STREAMS_PER_CALLER = 20;
const BRIEF_MILLISECONDS = 1_500;
const LONG_MILLISECONDS = 3_600_000;

let house: House;
let folder: string;
const servers: HttpServer[] = [];
/** Roles that were taken away since the tokens were issued. */
let demoted: ReadonlySet<Role> = new Set();

beforeAll(async () => {
  house = await openHouse();
  folder = await mkdtemp(join(tmpdir(), 'live-'));
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  await house.close();
  await rm(folder, { recursive: true, force: true });
});

/** The house's routes on a server; its tokens are roles, and `brief` is one of the staff that soon ends. */
async function openServer(): Promise<HttpServer> {
  const { running, clock } = house.test;
  const server = await createHttpServer({
    settings: { host: '127.0.0.1', port: 0, rateLimit: false },
    ...{ logger: createLogger('silent'), clock, metrics: createMetrics({ process: false }) },
    async verifyToken(token) {
      const [role, life]: [Role, number] =
        token === 'brief' ? ['staff', BRIEF_MILLISECONDS] : [token as Role, LONG_MILLISECONDS];
      const id = role === 'customer' ? TEST_USERS.customer : TEST_USERS.staff;
      return { caller: { kind: 'user', id, roles: [role] }, issuedAt: Date.now(), expiresAt: Date.now() + life };
    },
    limitCaller: (caller) =>
      caller.kind === 'user' ? { ...caller, roles: caller.roles.filter((role) => !demoted.has(role)) } : caller,
    ...{ secretKey: randomBytes(32), ready: async () => true, settled: async () => {} },
  });
  await running.open.routes?.(server.app(running.context));
  servers.push(server);
  return server;
}

type Ear = { readonly status: number; heard(): string; isEnded(): boolean; leave(): void };

async function listen(url: string, token: string): Promise<Ear> {
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  const { status, body } = await fetch(`${url}/api/live`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  });
  let heard = '';
  let isEnded = false;
  async function read(): Promise<void> {
    for await (const bytes of body ?? []) heard += Buffer.from(bytes).toString();
  }
  read()
    .catch(() => {})
    .finally(() => {
      isEnded = true;
    });
  return { status, heard: () => heard, isEnded: () => isEnded, leave: () => leaving.abort() };
}

test('given a token that ends soon, when it has ended, then the stream has too, and no other', async () => {
  const url = await (await openServer()).listen();
  const [brief, long] = [await listen(url, 'brief'), await listen(url, 'staff')];
  await vi.waitFor(() => expect(brief.heard()).toContain('event: begin'), SOON);
  await vi.waitFor(() => expect(brief.isEnded()).toBe(true), SOON);
  expect(long.isEnded()).toBe(false);
});

test('given staff who listen, when the role is taken away, then within seconds they hear only their own', async () => {
  const url = await (await openServer()).listen();
  const staff = await listen(url, 'staff');
  const [before, own] = [ordered(house, NEIGHBOUR), ordered(house, TEST_USERS.staff)];
  await house.test.hear([placed(before)]);
  await vi.waitFor(() => expect(staff.heard()).toContain(before.orderId), SOON);
  demoted = new Set(['staff']);
  onTestFinished(() => {
    demoted = new Set();
  });
  // Until an order of somebody else is not heard: what is said is told in order, so the own one says that it was not.
  await vi.waitFor(async () => {
    const [other, mine] = [ordered(house, NEIGHBOUR), ordered(house, TEST_USERS.staff)];
    await house.test.hear([placed(other)]);
    await house.test.hear([placed(mine)]);
    await vi.waitFor(() => expect(staff.heard()).toContain(mine.orderId), SOON);
    expect(staff.heard()).not.toContain(other.orderId);
  }, SOON);
  await house.test.hear([placed(own)]);
  await vi.waitFor(() => expect(staff.heard()).toContain(own.orderId), SOON);
  expect(staff.isEnded()).toBe(false);
});

test('given one caller with twenty streams, when they open one more, then that is 429 until one is closed', async () => {
  const url = await (await openServer()).listen();
  const ears = await Promise.all(Array.from({ length: STREAMS_PER_CALLER }, () => listen(url, 'customer')));
  expect(ears.map(({ status }) => status)).toEqual(ears.map(() => 200));
  const answer = await fetch(`${url}/api/live`, { headers: { authorization: 'Bearer customer' } });
  expect(answer.status).toBe(429);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(await answer.json()).toMatchObject({ type: '/problems/too-many-requests', status: 429 });
  expect((await listen(url, 'staff')).status, 'others have places of their own').toBe(200);
  ears[0]?.leave();
  await vi.waitFor(async () => expect((await listen(url, 'customer')).status).toBe(200), SOON);
});

test('given a socket that nobody reads from, when much is said, then it is closed and others hear on', async () => {
  const server = await openServer();
  const closed = vi.fn<() => void>();
  server.fastify.server.on('connection', (socket) => socket.once('close', closed));
  // A socket of this machine's own: what the system keeps for it is little, and does not grow.
  const path = join(folder, 'server');
  await server.fastify.listen({ path });
  const slow = connect(path);
  onTestFinished(() => void slow.destroy());
  slow.on('error', () => {}).pause();
  slow.write('GET /api/live HTTP/1.1\r\nhost: here\r\nauthorization: Bearer staff\r\n\r\n');
  const quick = await listen(await (await openServer()).listen(), 'staff');
  await vi.waitFor(async () => {
    const orders = Array.from({ length: 400 }, () => ordered(house, randomUUID()));
    await house.test.hear(orders.map((order) => placed(order)));
    const last = orders.at(-1)?.orderId;
    await vi.waitFor(() => expect(quick.heard()).toContain(last), SOON);
    expect(closed).toHaveBeenCalled();
  }, SOON);
  expect(quick.isEnded()).toBe(false);
});
