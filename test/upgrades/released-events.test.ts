// Old events in new logs, new events at old consumers, new tables under old processes: what an upgrade meets while two
// versions run side by side (docs/how-to/upgrade.md).
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CONTEXT_NAMES, type ContextName, type RecordedEvent } from '@provender/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { SplitTown } from '../support/split-town.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import type { RunningTown } from '../support/town-shape.ts';
import { addPeople, bake, defineProduct, openSite, order, payIn, type People } from '../support/town.ts';

const fixtures = fileURLToPath(new URL('../../packages/contracts/fixtures/', import.meta.url));

/** Every event that was ever released, in the order of its log. */
function releasedEvents(): RecordedEvent[] {
  return readdirSync(fixtures)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(fixtures + name, 'utf8')) as RecordedEvent)
    .sort((one, other) => one.position - other.position);
}

function releasedEvent(type: string): RecordedEvent {
  const found = releasedEvents().find((event) => event.type === type);
  if (found === undefined) throw new Error(`There is no fixture of ${type}`);
  return found;
}

/** A question to the database of a context, as the superuser: in one process they all share one. */
async function ask<Row extends object>(
  town: RunningTown,
  context: ContextName,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  // The two shapes of a town that there are: one has a database, the other has one for each context.
  const { databases, database } = town as Partial<SplitTown & TestServer>;
  const client = new pg.Client({ connectionString: (databases?.[context] ?? database)?.superuserUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Puts events into the logs of the contexts that say them, as if a former version had. */
async function sayAgain(town: RunningTown, events: readonly RecordedEvent[]): Promise<void> {
  for (const { source, id, type, key, subject, time, data } of events) {
    await ask(
      town,
      source,
      `SELECT ${source}.append_events('{}', '{}', '{}', '{}', '{}', $1, $2, $3, $4, $5, '{""}', $6)`,
      [time, [id], [type], [key], [subject], [JSON.stringify(data)]],
    );
  }
  await town.idle();
}

async function parkedIn(town: RunningTown): Promise<object[]> {
  const found: object[] = [];
  for (const context of CONTEXT_NAMES) {
    found.push(...(await ask(town, context, `SELECT event->>'type' AS type, error FROM ${context}.parked_events`)));
  }
  return found;
}

async function countOf(town: RunningTown, context: ContextName, table: string): Promise<number> {
  const [row] = await ask<{ count: number }>(town, context, `SELECT count(*)::int AS count FROM ${context}.${table}`);
  return row?.count ?? 0;
}

/** The same with members that a later version may have added, in every object of it. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (value === null || typeof value !== 'object') return value;
  const known = Object.entries(value).map(([name, member]) => [name, withMore(member)]);
  return { ...Object.fromEntries(known), addedLater: { by: 'a newer version', many: [1, 2, 3] } };
}

describeInBothShapes('events of every version, at the consumers of today', (startTown) => {
  let town: RunningTown;

  beforeAll(async () => {
    town = await startTown();
  });

  afterAll(() => town.close());

  test('given an empty town, when every event that was ever released comes again, then each is handled', async () => {
    const events = releasedEvents();
    expect(events.length).toBeGreaterThan(20);
    await sayAgain(town, events);
    expect(await parkedIn(town)).toEqual([]);
    // Not only passed over: units are on the shelf and accounts are open by what was heard.
    expect(await countOf(town, 'inventory', 'units')).toBe(6);
    expect(await countOf(town, 'bank', 'accounts')).toBeGreaterThan(0);
  });

  test('given an event that no version ever said, when it comes, then it is parked: the tests here would see it', async () => {
    const id = '01a1fd45-ffff-7000-8000-000000000003';
    await sayAgain(town, [{ ...releasedEvent('orders.order-placed.v1'), id, subject: id, data: { orderId: id } }]);
    await expect.poll(() => parkedIn(town)).toMatchObject([{ type: 'orders.order-placed.v1' }]);
  });
});

describeInBothShapes('events of a newer version, at the consumers of today', (startTown) => {
  let town: RunningTown;
  let people: People;
  let siteId: string;
  let productId: string;

  beforeAll(async () => {
    town = await startTown();
    people = await addPeople(town);
    siteId = await openSite(town, people.manager);
    productId = await defineProduct(town, people.manager);
    await payIn(town, people.manager, people.customer.id, 10_000);
    await bake(town, people.staff, { siteId, productId, quantity: 5 });
  });

  afterAll(() => town.close());

  test('given events with members that nobody knows yet, when they come, then they are handled without them', async () => {
    const before = await countOf(town, 'inventory', 'units');
    await sayAgain(
      town,
      releasedEvents().map((event) => ({ ...event, data: withMore(event.data) })),
    );
    expect(await parkedIn(town)).toEqual([]);
    expect(await countOf(town, 'inventory', 'units')).toBe(before + 6);
  });

  test('given a version that nobody knows yet, said beside the known one, then only the known one takes effect', async () => {
    const before = await countOf(town, 'inventory', 'outbox');
    const newer = { ...releasedEvent('orders.order-placed.v1'), data: { everything: 'is different' } };
    await sayAgain(town, [
      { ...newer, type: 'orders.order-placed.v2', id: '01a1fd45-ffff-7000-8000-000000000001' },
      { ...newer, type: 'orders.order-painted.v1', id: '01a1fd45-ffff-7000-8000-000000000002' },
    ]);
    expect(await parkedIn(town)).toEqual([]);
    expect(await countOf(town, 'inventory', 'outbox')).toBe(before);
    const sold = await order(town, people.customer, { siteId, productId, quantity: 2 });
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
