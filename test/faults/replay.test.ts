import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { openPartitioner, setRelayBack } from '@provender/platform';
import { describeWithKafka } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SplitTown, startSplitTown } from '../support/split-town.ts';
import { addPeople, bake, defineProduct, euro, moveTo, openSite, order, payIn } from '../support/town.ts';

// A consumer remembers positions in the source's log: so a whole log that comes a second time, all of it, changes not
// a byte of any table, and no row is even written again.

const PARTITIONS = 2;
const SENTINEL = 'sentinel';

/** Where a relay and consumers stand: it moves. All else must not. */
const POSITIONS = new Set(['relay', 'relay_partitions', 'cursors', 'outbox_head']);

describeWithKafka('a log that comes twice', () => {
  let shop: SplitTown;

  beforeAll(async () => {
    shop = await startSplitTown('kafka');
  });

  afterAll(() => shop?.close());

  /** Sales, a refusal for want of goods and one for want of money, a cancelled order, waste, a closing. */
  async function passADay(): Promise<void> {
    const { manager, staff, customer, neighbour } = await addPeople(shop);
    await payIn(shop, manager, customer.id, 20_000);
    for (const opensAt of ['07:00', '08:00', '09:00']) {
      const siteId = await openSite(shop, manager, { opensAt });
      const productId = await defineProduct(shop, manager, { price: euro(250) });
      await bake(shop, staff, { siteId, productId, quantity: 6 });
      const sold = await order(shop, customer, { siteId, productId, quantity: 2 });
      await moveTo(shop, staff, sold.body.id, 'ready');
      const given = await order(shop, customer, { siteId, productId });
      await shop.api.call(`POST /api/orders/${given.body.id}/cancel`, { token: customer.token });
      await order(shop, customer, { siteId, productId, quantity: 9 });
      await order(shop, neighbour, { siteId, productId });
    }
    await shop.advanceTo('2026-11-21T18:00:00.000Z');
    await shop.idle();
  }

  /** Every row of every table of a context, with the transaction that wrote it, by table. */
  async function dump(context: ContextName): Promise<Record<string, string[]>> {
    const client = new pg.Client({ connectionString: shop.databases[context].superuserUrl });
    await client.connect();
    try {
      const named = "SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'";
      const { rows: tables } = await client.query<{ name: string }>(named, [context]);
      const dumped: Record<string, string[]> = {};
      for (const { name } of tables) {
        if (POSITIONS.has(name)) continue;
        const every = `SELECT xmin::text || ' ' || each::text AS row FROM ${context}.${name} AS each ORDER BY 1`;
        const { rows } = await client.query<{ row: string }>(every);
        dumped[name] = rows.map(({ row }) => row).filter((row) => !row.includes(SENTINEL));
      }
      return dumped;
    } finally {
      await client.end();
    }
  }

  async function dumpAll(): Promise<Record<string, Record<string, string[]>>> {
    const dumps = CONTEXT_NAMES.map(async (context) => [context, await dump(context)] as const);
    return Object.fromEntries(await Promise.all(dumps));
  }

  /** Says something that nobody wants, in every partition: whoever has come past it has had all that is before it. */
  async function sendSentinels(): Promise<void> {
    const partitionOf = openPartitioner(PARTITIONS);
    const keys = Array.from({ length: PARTITIONS }, (_, partition) => {
      for (let number = 0; ; number += 1) if (partitionOf(`key ${number}`) === partition) return `key ${number}`;
    });
    for (const { system } of shop.servers.values()) {
      for (const { context, db } of system.contexts.values()) {
        const said = keys.map((key) => ({ type: `${context}.${SENTINEL}.v1`, key, subject: SENTINEL, data: {} }));
        // Of a type that no contract has.
        await db.withTx(async (tx) => tx.append(said as unknown as Parameters<typeof tx.append>[0]));
      }
    }
    await shop.idle();
  }

  test('given a day of business, when every log is carried again from its first event, then no table has changed', async () => {
    await passADay();
    const before = await dumpAll();
    expect(before['orders']?.['orders']?.length).toBe(12);
    for (let round = 0; round < 2; round += 1) {
      for (const context of CONTEXT_NAMES) await setRelayBack(shop.databases[context].url, context, 1);
      await sendSentinels();
      expect(await dumpAll()).toEqual(before);
    }
  }, 120_000);
});
