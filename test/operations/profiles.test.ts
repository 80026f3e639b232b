import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { addPeople, bake, defineProduct, moveTo, openSite, order, type People, payIn } from '../support/town.ts';

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const SOON = { timeout: 15_000, interval: 100 };

let shop: TestServer;
let people: People;

beforeAll(async () => {
  shop = await startTestServer();
  people = await addPeople(shop);
});

afterAll(() => shop.close());

/** Runs the command beside the running system. */
async function rebuild(): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: shop.database.url, LOG_LEVEL: 'error' };
  const child = spawn(process.execPath, [MAIN, 'rebuild-profiles'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = await once(child, 'close');
  expect([code, said]).toEqual([0, said]);
  return said;
}

async function documents(): Promise<Map<string, unknown>> {
  const rows = await shop.sql<{ id: string; document: unknown }>(
    'SELECT user_id AS id, document FROM identity.profiles',
  );
  return new Map(rows.map(({ id, document }) => [id, document]));
}

/** Orders that end in every way, money that comes and goes, mail. */
async function aBusyMorning(): Promise<void> {
  const { customer, manager, neighbour, staff } = people;
  const siteId = await openSite(shop, manager);
  const bread = await defineProduct(shop, manager);
  await payIn(shop, manager, customer.id, 20_000);
  await payIn(shop, manager, neighbour.id, 400);
  await bake(shop, staff, { siteId, productId: bread, quantity: 40 });
  for (let count = 0; count < 12; count += 1) await order(shop, customer, { siteId, productId: bread });
  await order(shop, neighbour, { siteId, productId: bread });
  await order(shop, neighbour, { siteId, productId: bread });
  await order(shop, customer, { siteId, productId: bread, quantity: 90 });
  const { id } = (await order(shop, customer, { siteId, productId: bread })).body;
  await moveTo(shop, staff, id, 'ready');
  await moveTo(shop, staff, id, 'delivered');
  const unwanted = (await order(shop, customer, { siteId, productId: bread })).body.id;
  await shop.api.call(`POST /api/orders/${unwanted}/cancel`, { token: customer.token });
  await shop.idle();
}

describe('profiles', () => {
  test('given profiles that have grown live, when they are rebuilt from the events, then each is the same', async () => {
    await aBusyMorning();
    const grown = await documents();
    expect(grown.size).toBe(4);
    expect(grown.get(people.customer.id)).toMatchObject({
      orders: { placed: 15 },
      account: { movements: { length: 10 } },
    });
    await shop.sql(`UPDATE identity.profiles SET document = '{}'`);
    expect(await rebuild()).toMatch(/^Profiles grow anew from \d+ logs\.\n$/);
    await vi.waitFor(async () => expect(await documents()).toEqual(grown), SOON);
    await shop.expectPromises();
  });

  test('given that the other contexts are away, when a profile is asked for, then it is served', async () => {
    const before = (await shop.api.call('GET /api/users/me', { token: people.customer.token })).body;
    await shop.restart({ env: { CONTEXTS: 'identity' } });
    const token = await shop.api.signIn('customer@test.example', 'a pass phrase for tests');
    expect((await shop.api.call('GET /api/users/me', { token })).body).toEqual(before);
  });
});
