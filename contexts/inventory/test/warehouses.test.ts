import { MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Asked, applyAnswer, askSource } from '../src/use-cases/mirror-warehouses.ts';
import { siteDefined, productDefined, SHOP, DONUT, COFFEE, UNKNOWN } from './bakery.ts';
import {
  listing,
  openWarehouseWorld,
  partnerOrderReset,
  PLACE,
  stockRequested,
  type WarehouseWorld,
} from './warehouse-world.ts';

const ORDERS = Array.from({ length: 9 }, (_, nth) => `01900000-0000-7000-8000-0000000001${nth}0`);
const [ONE = '', TWO = '', THREE = ''] = ORDERS;

/** Waits as a loaded machine needs. */
const PATIENT = { timeout: 20_000, interval: 20 };

describe('The mirror of the warehouses', () => {
  let world: WarehouseWorld;
  beforeAll(async () => {
    world = await openWarehouseWorld({ w1: { FLOUR: 120, SUGAR: 40 }, w2: { FLOUR: 5 } });
  });
  afterAll(() => world.close());

  test('given a source, when it is mirrored, then its warehouses and quantities are here, each a movement', async () => {
    const before = await world.http.call('GET /api/warehouses', { as: 'staff' });
    expect(before.body).toEqual({ items: [] });
    const synced = await world.http.call('POST /api/warehouses/sync', { as: 'manager' });
    expect(synced).toMatchObject({
      status: 200,
      body: { warehouses: 2, items: 3, changed: 3, missing: 0, syncedAt: '2026-11-21T08:00:00.000Z' },
    });
    const { body } = await world.http.call('GET /api/warehouses', { as: 'staff' });
    expect(body).toEqual({
      items: [
        { id: 'w1', name: 'Warehouse w1', items: 2 },
        { id: 'w2', name: 'Warehouse w2', items: 1 },
      ],
      syncedAt: '2026-11-21T08:00:00.000Z',
    });
    expect(await world.levels('w1')).toEqual({ FLOUR: [120, 0, 120], SUGAR: [40, 0, 40] });
    const movements = await world.http.call<{ items: object[] }>('GET /api/warehouses/w2/movements', { as: 'staff' });
    expect(movements.body.items).toEqual([
      {
        sku: 'FLOUR',
        kind: 'synced',
        at: '2026-11-21T08:00:00.000Z',
        quantityChange: 5,
        allocatedChange: 0,
        quantity: 5,
        allocated: 0,
      },
    ]);
  });

  test('given nothing new, when it is mirrored again, then the source says so and nothing moves', async () => {
    const { notModified } = world.source.asked(PLACE);
    const synced = await world.http.call('POST /api/warehouses/sync', { as: 'manager' });
    expect(synced.body).toMatchObject({ changed: 0, items: 3 });
    expect(world.source.asked(PLACE).notModified).toBe(notModified + 1);
    expect(await world.sql('SELECT count(*)::integer AS n FROM inventory.warehouse_movements')).toEqual([{ n: 3 }]);
  });

  test('given five minutes, when they have passed, then the mirror is as the source is, by itself', async () => {
    world.source.put(PLACE, listing({ w1: { FLOUR: 100, SUGAR: 40 }, w2: { FLOUR: 5 } }));
    await world.advanceTo(plus(world.clock.now(), 5 * MINUTE));
    await vi.waitFor(async () => expect((await world.levels('w1'))['FLOUR']).toEqual([100, 0, 100]), PATIENT);
  });

  test('given goods that the source lists no longer, when it is mirrored, then they are marked, and come back', async () => {
    world.source.put(PLACE, listing({ w1: { FLOUR: 100 } }));
    expect(await world.sync()).toBe(200);
    const { items } = await world.stock('w1');
    expect(items.find(({ sku }) => sku === 'SUGAR')).toMatchObject({ quantity: 40, available: 0 });
    expect(items.find(({ sku }) => sku === 'SUGAR')?.missingSince).toBeDefined();
    const { body } = await world.http.call<{ items: { id: string; missingSince?: string }[] }>('GET /api/warehouses', {
      as: 'staff',
    });
    expect(body.items.map(({ id, missingSince }) => [id, missingSince !== undefined])).toEqual([
      ['w1', false],
      ['w2', true],
    ]);
    world.source.put(PLACE, listing({ w1: { FLOUR: 100, SUGAR: 41 }, w2: { FLOUR: 5 } }));
    expect(await world.sync()).toBe(200);
    expect(await world.levels('w1')).toEqual({ FLOUR: [100, 0, 100], SUGAR: [41, 0, 41] });
    expect((await world.stock('w2')).items[0]?.missingSince).toBeUndefined();
  });

  test('given a warehouse that nobody knows, when it is asked for, then it is not found', async () => {
    for (const line of ['GET /api/warehouses/w9/stock', 'GET /api/warehouses/w9/movements']) {
      expect((await world.http.call(line, { as: 'staff' })).status).toBe(404);
    }
  });

  test('given more items than a page, when they are read page by page, then all come once', async () => {
    const items = Object.fromEntries(Array.from({ length: 7 }, (_, nth) => [`SKU-${nth}`, nth]));
    world.source.put(PLACE, listing({ w3: items }));
    await world.sync();
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const line = `GET /api/warehouses/w3/stock?limit=3${cursor}`;
      const { body } = await world.http.call<{ items: { sku: string }[]; nextCursor?: string }>(line, { as: 'staff' });
      seen.push(...body.items.map(({ sku }) => sku));
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(Object.keys(items));
  });
});

describe('A source that cannot be relied on', () => {
  let world: WarehouseWorld;
  beforeAll(async () => {
    world = await openWarehouseWorld({ w1: { FLOUR: 120 } });
    await world.sync();
  });
  afterAll(() => world.close());

  const broken = { id: 'w1', name: 'North', items: [{ sku: 'FLOUR', name: 'Flour', quantity: 7 }] };
  const twice = { ...broken, items: [broken.items[0], broken.items[0]] };
  const negative = { ...broken, items: [{ ...broken.items[0], quantity: -1 }] };
  const huge = { warehouses: [{ ...broken, name: 'x'.repeat(17 * 1024 * 1024) }] };
  test.for([
    ['is down', { kind: 'status', status: 500 }],
    ['moves elsewhere', { kind: 'status', status: 302 }],
    ['breaks off', { kind: 'breaks-off' }],
    ['sends no JSON', { kind: 'says', text: '<html>' }],
    ['sends another document', { kind: 'says', text: '{"stock":[]}' }],
    ['sends one broken line among good ones', { kind: 'says', text: JSON.stringify({ warehouses: [broken, null] }) }],
    ['sends an item twice', { kind: 'says', text: JSON.stringify({ warehouses: [twice] }) }],
    ['sends less than nothing', { kind: 'says', text: JSON.stringify({ warehouses: [negative] }) }],
    ['sends far too much', { kind: 'says', text: JSON.stringify(huge) }],
    ['says that nothing has changed, though nobody asked', { kind: 'status', status: 304 }],
  ] as const)(
    'given a source that %s, when it is mirrored, then the last good mirror stands and says since when',
    async ([what, behaviour]) => {
      await world.sql('UPDATE inventory.warehouse_source SET etag = NULL');
      await world.advanceTo(plus(world.clock.now(), MINUTE));
      world.source.behave(PLACE, { kind: 'well' });
      await vi.waitFor(async () => expect(await world.sync()).toBe(200), PATIENT);
      await world.sql('UPDATE inventory.warehouse_source SET etag = NULL');
      const { syncedAt } = await world.stock('w1');
      const moments = await world.sql<{ n: number }>(
        'SELECT count(*)::integer AS n FROM inventory.warehouse_movements',
      );
      world.source.behave(PLACE, behaviour);
      const failed = await world.http.call('POST /api/warehouses/sync', { as: 'manager' });
      expect([what, failed.status, failed.body['type']]).toEqual([what, 503, '/problems/source-unavailable']);
      expect(failed.headers['retry-after']).toBe('10');
      expect(await world.stock('w1')).toEqual({
        items: [{ sku: 'FLOUR', name: 'Item FLOUR', quantity: 120, allocated: 0, available: 120 }],
        syncedAt,
        staleSince: new Date(world.clock.now()).toISOString(),
      });
      expect(await world.sql('SELECT count(*)::integer AS n FROM inventory.warehouse_movements')).toEqual(moments);
    },
  );

  test('given a source that was down, when it is back, then it is asked again soon by itself and nothing is stale', async () => {
    world.source.behave(PLACE, { kind: 'status', status: 503 });
    await world.sync();
    const { staleSince } = await world.stock('w1');
    expect(staleSince).toBeDefined();
    world.source.behave(PLACE, { kind: 'well' });
    world.source.put(PLACE, listing({ w1: { FLOUR: 90 } }));
    await world.advanceTo(plus(world.clock.now(), 5 * MINUTE));
    await vi.waitFor(async () => expect((await world.stock('w1')).staleSince).toBeUndefined(), PATIENT);
    expect(await world.levels('w1')).toEqual({ FLOUR: [90, 0, 90] });
  });

  test('given an answer to an earlier question that comes last, when it is applied, then the later one stands', async () => {
    const { db } = world.running;
    const never = new AbortController().signal;
    world.source.put(PLACE, listing({ w1: { FLOUR: 70 } }));
    const earlier = await askSource(db, world.source.url(PLACE), never);
    world.source.put(PLACE, listing({ w1: { FLOUR: 60 } }));
    const later = await askSource(db, world.source.url(PLACE), never);
    const apply = (asked: Asked) => db.withTx((tx) => applyAnswer(tx, asked, world.clock));
    expect(await apply(later)).toEqual({ kind: 'synced', changed: 1, missing: 0 });
    expect(await apply(earlier)).toEqual({ kind: 'superseded' });
    expect(await world.levels('w1')).toEqual({ FLOUR: [60, 0, 60] });
  });

  test('given a source that is silent, when it is being asked, then stock is given and read all the same', async () => {
    world.source.behave(PLACE, { kind: 'silent' });
    const { times } = world.source.asked(PLACE);
    await world.advanceTo(plus(world.clock.now(), 5 * MINUTE));
    await vi.waitFor(() => expect(world.source.asked(PLACE).times).toBeGreaterThan(times), PATIENT);
    await world.hear([stockRequested(ONE, { FLOUR: 1 })]);
    expect(await world.levels('w1')).toEqual({ FLOUR: [60, 1, 59] });
  });
});

describe('Allocations for partner orders', () => {
  let world: WarehouseWorld;
  beforeAll(async () => {
    world = await openWarehouseWorld({ w1: { FLOUR: 10, SUGAR: 3 }, w2: { FLOUR: 4 } });
    await world.sync();
  });
  afterAll(() => world.close());

  test('given orders that want stock, when they ask, then each gets all or nothing, the fullest warehouse first', async () => {
    await world.hear([
      stockRequested(ONE, { FLOUR: 12 }),
      stockRequested(TWO, { FLOUR: 1, SUGAR: 4 }),
      stockRequested(THREE, { NOTHING: 1 }),
    ]);
    const said = await world.said();
    expect(said.map(({ type, subject, data }) => ({ type, subject, data }))).toEqual([
      {
        type: 'inventory.warehouse-stock-allocated.v1',
        subject: ONE,
        data: {
          partnerOrderId: ONE,
          attempt: 1,
          allocations: [
            { warehouseId: 'w1', sku: 'FLOUR', quantity: 10 },
            { warehouseId: 'w2', sku: 'FLOUR', quantity: 2 },
          ],
        },
      },
      {
        type: 'inventory.warehouse-stock-refused.v1',
        subject: TWO,
        data: {
          partnerOrderId: TWO,
          attempt: 1,
          reason: 'insufficient-stock',
          shortages: [{ sku: 'SUGAR', wanted: 4, available: 3 }],
        },
      },
      {
        type: 'inventory.warehouse-stock-refused.v1',
        subject: THREE,
        data: {
          partnerOrderId: THREE,
          attempt: 1,
          reason: 'unknown-item',
          shortages: [{ sku: 'NOTHING', wanted: 1, available: 0 }],
        },
      },
    ]);
    expect(await world.levels('w1')).toEqual({ FLOUR: [10, 10, 0], SUGAR: [3, 0, 3] });
    expect(await world.levels('w2')).toEqual({ FLOUR: [4, 2, 2] });
  });

  test('given what is allocated, when the source is mirrored anew, then it stays allocated, also beyond what there is', async () => {
    world.source.put(PLACE, listing({ w1: { FLOUR: 11, SUGAR: 3 }, w2: { FLOUR: 1 } }));
    await world.sync();
    expect(await world.levels('w1')).toMatchObject({ FLOUR: [11, 10, 1] });
    expect(await world.levels('w2')).toEqual({ FLOUR: [1, 2, 0] });
  });

  test('given an attempt that has its stock, when it asks again, then it gets no more and nothing is said', async () => {
    const before = (await world.said()).length;
    await world.hear([stockRequested(ONE, { FLOUR: 12 })]);
    expect(await world.said()).toHaveLength(before);
    expect(await world.levels('w1')).toMatchObject({ FLOUR: [11, 10, 1] });
  });

  test('given a reset, when it is said once or twice, then the stock is free again, once, and may be had anew', async () => {
    await world.hear([partnerOrderReset(ONE)]);
    await world.hear([partnerOrderReset(ONE), partnerOrderReset(TWO)]);
    expect(await world.levels('w1')).toMatchObject({ FLOUR: [11, 0, 11] });
    expect(await world.levels('w2')).toEqual({ FLOUR: [1, 0, 1] });
    await world.hear([stockRequested(ONE, { FLOUR: 12 }, 2)]);
    expect(await world.levels('w1')).toMatchObject({ FLOUR: [11, 11, 0] });
    const { body } = await world.http.call<{ items: { kind: string; reference?: string }[] }>(
      'GET /api/warehouses/w2/movements',
      { as: 'staff' },
    );
    expect(body.items.map(({ kind, reference }) => [kind, reference === ONE])).toEqual([
      ['allocated', true],
      ['released', true],
      ['synced', false],
      ['allocated', true],
      ['synced', false],
    ]);
  });

  test('given the role of inventory, when it writes mirror or ledger by itself, then the database refuses', async () => {
    for (const text of [
      'UPDATE inventory.warehouse_items SET allocated = 0',
      'UPDATE inventory.warehouse_items SET quantity = 1000',
      'DELETE FROM inventory.warehouse_allocations',
      'DELETE FROM inventory.warehouse_movements',
      "SELECT inventory.move_warehouse_stock('{w1}', '{FLOUR}', '{5}', '{0}', '{synced}', '{NULL}', now())",
    ]) {
      await world.sql('BEGIN');
      await world.sql('SET LOCAL ROLE provender_inventory');
      await expect(world.sql(text)).rejects.toThrow('permission denied');
      await world.sql('ROLLBACK');
    }
    const tooMuch = `SELECT inventory.allocate_warehouse_stock('{${THREE}}', '{1}', '{w1}', '{SUGAR}', '{4}',
      'partner-order', now())`;
    await expect(world.sql(tooMuch)).rejects.toThrow('never_more_than_is_there');
    const nowhere = tooMuch.replace('SUGAR', 'SALT');
    await expect(world.sql(nowhere)).rejects.toThrow('foreign key');
  });
});

describe('Transfers', () => {
  let world: WarehouseWorld;
  beforeAll(async () => {
    world = await openWarehouseWorld({ w1: { DONUT: 10, COFFEE: 5 } });
    await world.hear([
      siteDefined(),
      productDefined({ sku: 'DONUT' }),
      productDefined({ productId: COFFEE, sku: 'COFFEE', stock: 'made-to-order', shelfLifeMinutes: null }),
      productDefined({ productId: UNKNOWN, sku: 'ELSEWHERE' }),
    ]);
    await world.sync();
  });
  afterAll(() => world.close());

  const transfer = (body: object, warehouse = 'w1') =>
    world.http.call<{ batchId: string; type?: string }>(`POST /api/warehouses/${warehouse}/transfers`, {
      as: 'staff',
      body: { siteId: SHOP, productId: DONUT, quantity: 3, ...body },
    });

  test('given goods in a warehouse, when they are brought to a site, then they are units of their age there', async () => {
    const madeAt = '2026-11-21T07:50:00.000Z';
    const moved = await transfer({ madeAt });
    expect(moved).toMatchObject({ status: 201, body: { warehouseId: 'w1', sku: 'DONUT', quantity: 3 } });
    const units = await world.http.call<{ items: object[] }>(`GET /api/inventory/units?siteId=${SHOP}`, {
      as: 'staff',
    });
    expect(units.body.items).toHaveLength(3);
    expect(units.body.items[0]).toMatchObject({
      batchId: moved.body.batchId,
      state: 'available',
      madeAt,
      staleAt: '2026-11-21T08:15:00.000Z',
    });
    const [said] = await world.said('inventory.units-made.v1');
    expect(said).toMatchObject({ subject: moved.body.batchId, data: { source: 'transfer', quantity: 3, madeAt } });
    expect((await world.levels('w1'))['DONUT']).toEqual([10, 3, 7]);
  });

  test('given goods without a moment, when they are brought, then they were made at the transfer', async () => {
    await transfer({ quantity: 1 });
    const { body } = await world.http.call<{ items: { madeAt: string }[] }>(
      `GET /api/inventory/units?siteId=${SHOP}&limit=1`,
      { as: 'staff' },
    );
    expect(body.items[0]?.madeAt).toBe(new Date(world.clock.now()).toISOString());
  });

  test('given what was taken, when the source is mirrored, then it does not come back', async () => {
    await world.sql('UPDATE inventory.warehouse_source SET etag = NULL');
    await world.sync();
    expect((await world.levels('w1'))['DONUT']).toEqual([10, 4, 6]);
  });

  test.for([
    ['a warehouse that nobody knows', {}, 'w9', 404, 'not-found'],
    ['a site that nobody knows', { siteId: UNKNOWN }, 'w1', 404, 'not-found'],
    ['a product that nobody knows', { productId: SHOP }, 'w1', 404, 'not-found'],
    ['what is made to order', { productId: COFFEE }, 'w1', 409, 'not-kept-as-units'],
    ['what the warehouse does not list', { productId: UNKNOWN }, 'w1', 409, 'not-in-warehouse'],
    ['more than there is', { quantity: 7 }, 'w1', 409, 'insufficient-stock'],
    ['goods of tomorrow', { madeAt: '2026-11-22T00:00:00Z' }, 'w1', 400, 'invalid-request'],
  ] as const)(
    'given %s, when it is to be brought, then it is refused and nothing moves',
    async ([, body, warehouse, status, kind]) => {
      const refused = await transfer(body, warehouse);
      expect([refused.status, refused.body.type]).toEqual([status, `/problems/${kind}`]);
      expect((await world.levels('w1'))['DONUT']).toEqual([10, 4, 6]);
    },
  );

  test('given the last six, when ten want two each at once, then three get them', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => transfer({ quantity: 2 })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    expect((await world.levels('w1'))['DONUT']).toEqual([10, 10, 0]);
  });
});
