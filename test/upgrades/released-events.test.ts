// Old events in new logs, new events at old consumers, new tables under old processes: what an upgrade meets while two
// versions run side by side (docs/how-to/upgrade.md).
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RecordedEvent } from '@provender/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { addPeople, bake, defineProduct, openSite, order, payIn, type People } from '../support/town.ts';

const fixtures = fileURLToPath(new URL('../../packages/contracts/fixtures/', import.meta.url));

/** Every event that was ever released, in the order of its log. */
function releasedEvents(): RecordedEvent[] {
  return readdirSync(fixtures)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(fixtures + name, 'utf8')) as RecordedEvent)
    .sort((one, other) => one.position - other.position);
}

/** Puts events into the logs of the contexts that say them, as if a former version had. */
async function sayAgain(shop: TestServer, events: readonly RecordedEvent[]): Promise<void> {
  for (const { source, id, type, key, subject, time, data } of events) {
    await shop.sql(`SELECT ${source}.append_events('{}', '{}', '{}', '{}', '{}', $1, $2, $3, $4, $5, '{""}', $6)`, [
      time,
      [id],
      [type],
      [key],
      [subject],
      [JSON.stringify(data)],
    ]);
  }
  await shop.idle();
}

async function parkedIn(shop: TestServer): Promise<object[]> {
  const found: object[] = [];
  for (const context of shop.server.system.contexts.keys()) {
    found.push(...(await shop.sql(`SELECT event->>'type' AS type, error FROM ${context}.parked_events`)));
  }
  return found;
}

/** How many events every consumer has still to look at. */
async function behind(shop: TestServer): Promise<number> {
  let lag = 0;
  for (const consumer of shop.server.system.contexts.keys()) {
    const cursors = await shop.sql<{ source: string; position: number }>(
      `SELECT source, position::int AS position FROM ${consumer}.cursors`,
    );
    for (const { source, position } of cursors) {
      const [head] = await shop.sql<{ position: number }>(
        `SELECT position::int AS position FROM ${source}.outbox_head`,
      );
      lag += Math.max(0, (head?.position ?? 0) - position);
    }
  }
  return lag;
}

/** The same with members that a later version may have added, in every object of it. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (value === null || typeof value !== 'object') return value;
  const known = Object.entries(value).map(([name, member]) => [name, withMore(member)]);
  return { ...Object.fromEntries(known), addedLater: { by: 'a newer version', many: [1, 2, 3] } };
}

describe('events of every version, at the consumers of today', () => {
  let shop: TestServer;

  beforeAll(async () => {
    shop = await startTestServer();
  });

  afterAll(() => shop.close());

  test('given an empty town, when every event that was ever released comes again, then each is handled', async () => {
    const events = releasedEvents();
    expect(events.length).toBeGreaterThan(20);
    await sayAgain(shop, events);
    expect(await parkedIn(shop)).toEqual([]);
    await expect.poll(() => behind(shop)).toBe(0);
    // Not only passed over: units are on the shelf and accounts are open by what was heard.
    const counts =
      'SELECT (SELECT count(*) FROM inventory.units) AS units, (SELECT count(*) FROM bank.accounts) AS accounts';
    const [made] = await shop.sql<{ units: unknown; accounts: unknown }>(counts);
    expect(Number(made?.units)).toBe(6);
    expect(Number(made?.accounts)).toBeGreaterThan(0);
  });

  test('given an event that no version ever said, when it comes, then it is parked: the tests above would see it', async () => {
    const [placed] = releasedEvents().filter(({ type }) => type === 'orders.order-placed.v1');
    if (placed === undefined) throw new Error('no fixture of a placed order');
    const id = '01a1fd45-ffff-7000-8000-000000000003';
    await sayAgain(shop, [{ ...placed, id, subject: id, data: { orderId: id } }]);
    await expect.poll(() => parkedIn(shop)).toMatchObject([{ type: 'orders.order-placed.v1' }]);
  });
});

describe('events of a newer version, at the consumers of today', () => {
  let shop: TestServer;
  let people: People;
  let siteId: string;
  let productId: string;

  beforeAll(async () => {
    shop = await startTestServer();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    productId = await defineProduct(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 10_000);
    await bake(shop, people.staff, { siteId, productId, quantity: 5 });
  });

  afterAll(() => shop.close());

  test('given events with members that nobody knows yet, when they come, then they are handled without them', async () => {
    await sayAgain(
      shop,
      releasedEvents().map((event) => ({ ...event, data: withMore(event.data) })),
    );
    expect(await parkedIn(shop)).toEqual([]);
    await expect.poll(() => behind(shop)).toBe(0);
  });

  test('given a version that nobody knows yet, said beside the known one, then only the known one takes effect', async () => {
    const [placed] = releasedEvents().filter(({ type }) => type === 'orders.order-placed.v1');
    if (placed === undefined) throw new Error('no fixture of a placed order');
    const before = await shop.sql('SELECT count(*)::int AS held FROM inventory.outbox');
    const newer = { type: 'orders.order-placed.v2', data: { everything: 'is different' } };
    await sayAgain(shop, [
      { ...placed, ...newer, id: '01a1fd45-ffff-7000-8000-000000000001' },
      { ...placed, ...newer, type: 'orders.order-painted.v1', id: '01a1fd45-ffff-7000-8000-000000000002' },
    ]);
    expect(await parkedIn(shop)).toEqual([]);
    await expect.poll(() => behind(shop)).toBe(0);
    expect(await shop.sql('SELECT count(*)::int AS held FROM inventory.outbox')).toEqual(before);
    const sold = await order(shop, people.customer, { siteId, productId, quantity: 2 });
    expect(sold.status).toBe(201);
  });
});

describe('a database that a newer version has expanded', () => {
  test('given new columns and tables, when an old process starts on them, then it sells as before', async () => {
    const shop = await startTestServer();
    try {
      const people = await addPeople(shop);
      await shop.sql(`ALTER TABLE orders.orders ADD COLUMN added_later text NOT NULL DEFAULT 'nothing yet'`);
      await shop.sql(`ALTER TABLE inventory.units ADD COLUMN added_later integer`);
      await shop.sql(`CREATE TABLE bank.added_later (id uuid PRIMARY KEY)`);
      await shop.sql(`ALTER TABLE bank.added_later OWNER TO provender`);
      for (const context of ['orders', 'inventory', 'bank']) {
        await shop.sql(`INSERT INTO ${context}.migrations (name, run_on) VALUES ('9999-added-later', now())`);
        await shop.sql(`INSERT INTO ${context}.platform_migrations (name, run_on) VALUES ('9999-added-later', now())`);
      }
      await shop.restart();
      const token = await shop.api.signIn('customer@test.example', 'a pass phrase for tests');
      const customer = { ...people.customer, token };
      const manager = {
        ...people.manager,
        token: await shop.api.signIn('manager@test.example', 'a pass phrase for tests'),
      };
      const siteId = await openSite(shop, manager);
      const productId = await defineProduct(shop, manager);
      await payIn(shop, manager, customer.id, 10_000);
      await bake(shop, manager, { siteId, productId, quantity: 2 });
      expect((await order(shop, customer, { siteId, productId, quantity: 2 })).status).toBe(201);
      await shop.expectPromises();
    } finally {
      await shop.close();
    }
  });
});
