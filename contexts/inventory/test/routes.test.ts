import { formatInstant, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Bakery,
  BOTTLE,
  COFFEE,
  DONUT,
  LOAF,
  NIGHT_SHOP,
  openBakery,
  orderPaid,
  POOL,
  productDefined,
  productWithdrawn,
  SHOP,
  UNKNOWN,
} from './bakery.ts';

let bakery: Bakery;
beforeAll(async () => {
  bakery = await openBakery();
});
afterAll(() => bakery.close());

type Batch = { readonly batchId: string };
type Listed = { readonly items: { readonly id: string; readonly batchId: string }[]; readonly nextCursor?: string };

function receive(body: object, headers?: Record<string, string>) {
  return bakery.http.call<Batch>('POST /api/inventory/receipts', {
    as: 'staff',
    body: { siteId: SHOP, productId: BOTTLE, quantity: 1, ...body },
    ...(headers === undefined ? {} : { headers }),
  });
}

describe('POST /api/inventory/receipts', () => {
  test('given bought-in goods, when they are received, then they are units on the shelf', async () => {
    const madeAt = formatInstant(plus(bakery.clock.now(), -5 * MINUTE));
    const received = await receive({
      productId: DONUT,
      quantity: 3,
      madeAt,
      unitCost: { amount: 33, currency: 'EUR' },
    });
    expect(received).toMatchObject({ status: 201, body: { quantity: 3 } });
    expect(await bakery.states(received.body.batchId)).toEqual({ available: 3 });
    const said = (await bakery.said('inventory.units-made.v1')).at(-1);
    const staleAt = formatInstant(plus(bakery.clock.now(), 20 * MINUTE));
    expect(said?.data).toMatchObject({ madeAt, staleAt, source: 'receipt', unitCost: { amount: 33, currency: 'EUR' } });
  });

  test('given no moment and no cost, when goods are received, then they were made now at the cost of the product', async () => {
    await receive({});
    const said = (await bakery.said('inventory.units-made.v1')).at(-1);
    const madeAt = formatInstant(bakery.clock.now());
    expect(said?.data).toMatchObject({ madeAt, staleAt: null, unitCost: { amount: 45, currency: 'EUR' } });
  });

  test('given the same key twice, when goods are received, then they are shelved once and answered alike', async () => {
    const first = await receive({ quantity: 2 }, { 'idempotency-key': 'delivery 7' });
    const again = await receive({ quantity: 2 }, { 'idempotency-key': 'delivery 7' });
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await bakery.states(first.body.batchId)).toEqual({ available: 2 });
  });

  test.each([
    [404, 'not-found', { siteId: UNKNOWN }],
    [404, 'not-found', { productId: UNKNOWN }],
    [409, 'not-kept-as-units', { productId: COFFEE }],
    [400, 'invalid-request', { unitCost: { amount: 1, currency: 'USD' } }],
    [400, 'invalid-request', { madeAt: '2030-01-01T00:00:00Z' }],
    [400, 'invalid-request', { madeAt: '1066-10-14T09:00:00Z' }],
    [400, 'invalid-request', { madeAt: '0000-01-01T00:00:00Z' }],
    [400, 'invalid-request', { madeAt: 'yesterday' }],
    [400, 'invalid-request', { quantity: 0 }],
    [400, 'invalid-request', { quantity: 10_001 }],
    [400, 'invalid-request', { unitCost: { amount: -1, currency: 'EUR' } }],
    [400, 'invalid-request', { state: 'sold' }],
  ])('answers %i %s to %j', async (status, kind, body) => {
    const answered = await receive(body);
    expect(answered).toMatchObject({ status, body: { type: `/problems/${kind}` } });
  });

  test('given a product that was withdrawn, when it is received, then it is unknown', async () => {
    const productId = bakery.nextId();
    await bakery.hear([productDefined({ productId }), productWithdrawn(productId)]);
    expect(await receive({ productId })).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
  });
});

describe('GET /api/inventory/stock', () => {
  test('given units in every state, when stock is read, then it counts what is fresh and free, held, allocated', async () => {
    const stockOf = async (productId: string) => {
      const { body } = await bakery.http.call<{ items: { productId: string }[] }>(
        `GET /api/inventory/stock?siteId=${SHOP}`,
        { as: 'staff' },
      );
      return body.items.find((item) => item.productId === productId);
    };
    const productId = bakery.nextId();
    await bakery.hear([productDefined({ productId })]);
    expect(await stockOf(productId)).toBeUndefined();
    await bakery.bake(5, { productId, shelfLifeMinutes: 25 });
    const paid = await bakery.orderOf([productId, 1]);
    await bakery.hear([orderPaid(paid, 1)]);
    const sold = await bakery.orderOf([productId, 1]);
    await bakery.hear([orderPaid(sold, 1, true)]);
    await bakery.orderOf([productId, 1]);
    expect(await stockOf(productId)).toEqual({ productId, available: 2, held: 1, allocated: 1 });
    bakery.clock.advance(25 * MINUTE);
    expect(await stockOf(productId)).toEqual({ productId, available: 0, held: 1, allocated: 1 });
  });

  test('given an unknown site, when its stock is read, then it is not found', async () => {
    const answered = await bakery.http.call(`GET /api/inventory/stock?siteId=${UNKNOWN}`, { as: 'staff' });
    expect(answered).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
  });
});

describe('GET /api/inventory/units', () => {
  async function walk(query: string): Promise<string[]> {
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const url = `GET /api/inventory/units?limit=3&${query}${cursor}`;
      const { status, body } = await bakery.http.call<Listed>(url, { as: 'staff' });
      expect(status).toBe(200);
      seen.push(...body.items.map(({ id }) => id));
      if (body.nextCursor === undefined) return seen;
      cursor = `&cursor=${body.nextCursor}`;
    }
  }

  test('given batches of several ages, when their units are listed, then pages show each once, newest first', async () => {
    const productId = bakery.nextId();
    const old = await bakery.bake(4, { siteId: POOL, productId });
    bakery.clock.advance(MINUTE);
    const [one, two] = [
      await bakery.bake(3, { siteId: POOL, productId }),
      await bakery.bake(3, { siteId: NIGHT_SHOP, productId }),
    ];
    const newestFirst = async (...batches: string[]) => {
      const ids: string[] = [];
      for (const batch of batches) ids.push(...(await bakery.units(batch)).map(({ id }) => id).reverse());
      return ids;
    };
    expect(await walk(`siteId=${POOL}&productId=${productId}`)).toEqual(await newestFirst(one, old));
    expect(await walk(`productId=${productId}`)).toEqual(await newestFirst(two, one, old));
    expect(await walk(`productId=${productId}&state=available`)).toEqual(await newestFirst(two, one, old));
    expect(await walk(`productId=${productId}&state=sold`)).toEqual([]);
    expect(await walk(`siteId=${UNKNOWN}`)).toEqual([]);
  });

  test('given units in several states, when one state is asked for, then only they are listed', async () => {
    const productId = bakery.nextId();
    await bakery.bake(5, { productId });
    const [held, allocated, sold] = [
      await bakery.orderOf([productId, 1]),
      await bakery.orderOf([productId, 1]),
      await bakery.orderOf([productId, 1]),
    ];
    await bakery.hear([orderPaid(allocated, 1), orderPaid(sold, 1, true)]);
    const ofState = async (state: string) => {
      const url = `GET /api/inventory/units?siteId=${SHOP}&productId=${productId}&state=${state}`;
      const { body } = await bakery.http.call<{ items: { orderId?: string }[] }>(url, { as: 'staff' });
      return body.items.map(({ orderId }) => orderId);
    };
    expect(await ofState('available')).toEqual([undefined, undefined]);
    expect(await ofState('held')).toEqual([held]);
    expect(await ofState('allocated')).toEqual([allocated]);
    expect(await ofState('sold')).toEqual([sold]);
    expect(await ofState('discarded')).toEqual([]);
  });

  test('given a cursor of another list, or a wrong state, when units are listed, then the request is refused', async () => {
    const cursor = Buffer.from('["x"]').toString('base64url');
    for (const query of [`cursor=${cursor}`, 'state=eaten', 'siteId=1', 'limit=0', 'limit=201', 'sort=id']) {
      const answered = await bakery.http.call(`GET /api/inventory/units?${query}`, { as: 'staff' });
      expect(answered).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    }
  });

  test('given a unit, when it is read, then it comes with its history', async () => {
    const productId = bakery.nextId();
    const [unit] = await bakery.units(await bakery.bake(1, { productId, shelfLifeMinutes: 25 }));
    const at = formatInstant(bakery.clock.now());
    const staleAt = formatInstant(plus(bakery.clock.now(), 25 * MINUTE));
    const orderId = await bakery.orderOf([productId, 1]);
    const read = await bakery.http.call(`GET /api/inventory/units/${unit?.id}`, { as: 'staff' });
    expect(read.body).toEqual({
      id: unit?.id,
      siteId: SHOP,
      productId,
      batchId: expect.any(String),
      madeAt: at,
      staleAt,
      state: 'held',
      orderId,
      history: [
        { state: 'available', at, reason: 'batch' },
        { state: 'held', at, orderId },
      ],
    });
    const unknown = await bakery.http.call(`GET /api/inventory/units/${UNKNOWN}`, { as: 'staff' });
    expect(unknown.status).toBe(404);
  });
});

describe('Sweeps and waste', () => {
  test('given a shop in mid-day, when a manager ends its day, then all but what keeps overnight goes', async () => {
    const loaves = await bakery.bake(2, { siteId: NIGHT_SHOP, productId: LOAF });
    const body = { siteId: NIGHT_SHOP, kind: 'closing' };
    await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body });
    expect(await bakery.states(loaves)).toEqual({ discarded: 2 });
    const again = await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body });
    expect(again).toMatchObject({ status: 200, body: { discarded: 0 } });
    const nowhere = { siteId: UNKNOWN, kind: 'stale' };
    expect((await bakery.http.call('POST /api/inventory/sweeps', { as: 'manager', body: nowhere })).status).toBe(404);
  });

  test('given damaged goods, when they are thrown out, then waste says how many and what they cost', async () => {
    const batch = await bakery.bake(3, { siteId: POOL, productId: LOAF });
    const unitIds = (await bakery.units(batch)).slice(0, 2).map(({ id }) => id);
    const thrown = await bakery.http.call('POST /api/inventory/waste', {
      as: 'staff',
      body: { unitIds, reason: 'damaged' },
    });
    expect(thrown).toMatchObject({ status: 200, body: { discarded: 2 } });
    expect(await bakery.states(batch)).toEqual({ available: 1, discarded: 2 });
    const item = { productId: LOAF, reason: 'damaged', units: 2, cost: { amount: 160, currency: 'EUR' } };
    for (const [period, items] of [
      ['', [item]],
      ['&from=2026-11-21&to=2026-11-21', [item]],
      ['&from=2026-11-22', []],
      ['&to=2026-11-20', []],
      [`&from=${formatInstant(bakery.clock.now())}`, [item]],
      [`&to=${formatInstant(bakery.clock.now())}`, []],
    ] as const) {
      const read = await bakery.http.call(`GET /api/inventory/waste?siteId=${POOL}${period}`, { as: 'staff' });
      expect({ period, ...read }).toMatchObject({ period, status: 200, body: { items } });
    }
  });

  test('given units that are not free, when they are thrown out with others, then none is, and they are named', async () => {
    const productId = bakery.nextId();
    const batch = await bakery.bake(2, { productId });
    const orderId = await bakery.orderOf([productId, 1]);
    const units = await bakery.units(batch);
    const held = units.find((unit) => unit.orderId === orderId);
    const body = { unitIds: units.map(({ id }) => id), reason: 'other' };
    const refused = await bakery.http.call('POST /api/inventory/waste', { as: 'staff', body });
    expect(refused).toMatchObject({
      status: 409,
      body: { type: '/problems/units-not-available', units: [{ unitId: held?.id, state: 'held' }] },
    });
    expect(await bakery.states(batch)).toEqual({ available: 1, held: 1 });
  });

  test.each([
    [404, { unitIds: [UNKNOWN], reason: 'stale' }],
    [400, { unitIds: [], reason: 'stale' }],
    [400, { unitIds: [UNKNOWN, UNKNOWN], reason: 'stale' }],
    [400, { unitIds: ['1'], reason: 'stale' }],
    [400, { unitIds: [UNKNOWN], reason: 'closing' }],
    [
      400,
      {
        unitIds: Array.from({ length: 1_001 }, (_, n) => UNKNOWN.slice(0, -4) + `${n}`.padStart(4, '0')),
        reason: 'other',
      },
    ],
  ])('answers %i to waste that cannot be', async (status, body) => {
    expect((await bakery.http.call('POST /api/inventory/waste', { as: 'staff', body })).status).toBe(status);
  });

  test('given the same units thrown out from many sides at once, when all have answered, then one has done it', async () => {
    const unitIds = (await bakery.units(await bakery.bake(5, { productId: LOAF }))).map(({ id }) => id);
    const body = { unitIds, reason: 'damaged' };
    const calls = Array.from({ length: 20 }, () =>
      bakery.http.call('POST /api/inventory/waste', { as: 'staff', body }),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  test('given a period that is none, or no such site, when waste is read, then the request is refused', async () => {
    const read = async (query: string) =>
      (await bakery.http.call(`GET /api/inventory/waste?${query}`, { as: 'staff' })).status;
    expect(await read(`siteId=${UNKNOWN}`)).toBe(404);
    const ofEdge = async (edge: string) => [
      edge,
      await read(`siteId=${SHOP}&from=${edge}`),
      await read(`siteId=${SHOP}&to=${edge}`),
    ];
    for (const edge of ['2026-13-01', '2026-02-30', 'today', '2026-11-21T25:00:00Z', '2026-11-21T10:00:00']) {
      expect(await ofEdge(edge)).toEqual([edge, 400, 400]);
    }
    for (const edge of ['0000-01-01', '0001-01-01T00:00:00Z', '9999-12-31', '9999-12-31T23:59:59Z']) {
      expect(await ofEdge(edge)).toEqual([edge, 200, 200]);
    }
  });
});

test.each([
  ['POST /api/inventory/receipts', 'customer'],
  ['POST /api/inventory/sweeps', 'staff'],
  ['POST /api/inventory/waste', 'customer'],
  [`GET /api/inventory/stock?siteId=${SHOP}`, 'customer'],
  ['GET /api/inventory/units', 'customer'],
  [`GET /api/inventory/units/${UNKNOWN}`, 'customer'],
  [`GET /api/inventory/waste?siteId=${SHOP}`, 'customer'],
] as const)('%s is not for nobody, nor for a %s', async (line, role) => {
  const body = line.startsWith('POST') ? { body: {} } : {};
  expect((await bakery.http.call(line, body)).status).toBe(401);
  expect((await bakery.http.call(line, { as: role, ...body })).status).toBe(403);
});
