import { PARTNER_ORDERS_KEY, type PartnerOrderView, type PartnerRunView, type Said } from '@provender/contracts';
import { openStandInSource, type OpenContext, type StandInSource } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { orders } from '../src/index.ts';

const FEED = '/orders';
const PATIENT = { timeout: 20_000, interval: 20 };
const ASYNC = { prefer: 'respond-async' };

function feed(wanted: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return {
    orders: Object.entries(wanted).map(([number, items]) => ({
      number,
      items: Object.entries(items).map(([sku, quantity]) => ({ sku, quantity })),
    })),
  };
}

const errors: string[] = [];
let source: StandInSource;
let context: TestContext<OpenContext>;
let http: TestHttp;
beforeAll(async () => {
  source = await openStandInSource({
    [FEED]: feed({ '1': { FLOUR: 2 }, '2': { FLOUR: 0 }, '3': { SUGAR: 5, FLOUR: 1 } }),
  });
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (_about: object, message: string) => void errors.push(message),
  };
  context = await openTestContext(orders, { env: { PARTNER_ORDERS_URL: source.url(FEED) }, log });
  http = await openTestHttp(context);
});
afterAll(async () => {
  await http.close();
  await context.close();
  await source.close();
});

const manager = <Body = Record<string, unknown>>(line: string, headers: Record<string, string> = {}) =>
  http.call<Body>(line, { as: 'manager', headers });

/** All partner orders, by their numbers. */
async function all(): Promise<Record<string, PartnerOrderView>> {
  const { body } = await http.call<{ items: PartnerOrderView[] }>('GET /api/partner-orders', { as: 'staff' });
  return Object.fromEntries(body.items.map((order) => [order.number, order]));
}

async function idOf(number: string): Promise<string> {
  return (await all())[number]?.id ?? '';
}

/** The run, once it has taken all that were new. */
async function taken(id: string): Promise<PartnerRunView> {
  const line = `GET /api/partner-orders/runs/${id}`;
  return vi.waitFor(async () => {
    const { body } = await http.call<PartnerRunView>(line, { as: 'staff' });
    expect(body.complete).toBe(true);
    return body;
  }, PATIENT);
}

/** Inventory gives an attempt all that it wants, or refuses. */
async function answered(number: string, attempt: number, isGiven: boolean): Promise<void> {
  const partnerOrderId = await idOf(number);
  const about = { key: PARTNER_ORDERS_KEY, subject: partnerOrderId };
  const allocations = [{ warehouseId: 'w1', sku: 'FLOUR', quantity: 2 }];
  const shortages = [{ sku: 'SUGAR', wanted: 5, available: 4 }];
  const said: Said = isGiven
    ? { type: 'inventory.warehouse-stock-allocated.v1', ...about, data: { partnerOrderId, attempt, allocations } }
    : {
        type: 'inventory.warehouse-stock-refused.v1',
        ...about,
        data: { partnerOrderId, attempt, reason: 'insufficient-stock', shortages },
      };
  await context.hear([said]);
}

describe('Partner orders', () => {
  test('given a feed, when it is imported, then its orders are here as NEW, also one that is bound to fail', async () => {
    const { status, body } = await manager('POST /api/partner-orders/import');
    expect([status, body]).toEqual([200, { imported: 3, known: 0, changed: 0, broken: 0, reports: [] }]);
    const seen = await all();
    expect(Object.keys(seen).sort()).toEqual(['1', '2', '3']);
    expect(seen['3']).toMatchObject({
      status: 'NEW',
      processing: false,
      totalQuantity: 6,
      items: [
        { sku: 'SUGAR', quantity: 5 },
        { sku: 'FLOUR', quantity: 1 },
      ],
    });
  });

  test('given a feed that has changed, when it is imported again, then only what is new goes in and the rest is told', async () => {
    source.put(FEED, {
      orders: [...feed({ '1': { FLOUR: 2 }, '3': { SUGAR: 6 }, '4': { FLOUR: 1 } }).orders, { number: '5' }, null],
    });
    const { body } = await manager('POST /api/partner-orders/import');
    expect(body).toEqual({
      imported: 1,
      known: 1,
      changed: 1,
      broken: 2,
      reports: [
        { place: 3, number: '5', kind: 'broken', detail: 'has no list of items' },
        { place: 4, kind: 'broken', detail: 'is no object' },
        { place: 1, number: '3', kind: 'changed', detail: 'has other items than when it was imported' },
      ],
    });
    expect((await all())['3']?.totalQuantity).toBe(6);
    expect((await all())['3']?.items).toHaveLength(2);
  });

  test.for([
    ['is down', { kind: 'status', status: 500 }],
    ['is no feed', { kind: 'says', text: '{"orders":{}}' }],
    ['is no JSON', { kind: 'says', text: 'orders' }],
  ] as const)(
    'given a feed that %s, when it is imported, then that is said and nothing changes',
    async ([, behaviour]) => {
      source.behave(FEED, behaviour);
      const { status, body, headers } = await manager('POST /api/partner-orders/import');
      expect([status, body['type'], headers['retry-after']]).toEqual([503, '/problems/source-unavailable', '10']);
      expect(Object.keys(await all())).toHaveLength(4);
      source.behave(FEED, { kind: 'well' });
    },
  );

  test('given new orders, when all are processed, then the warehouses are asked for what can be right, once', async () => {
    const [first, second] = await Promise.all([
      manager<PartnerRunView>('POST /api/partner-orders/process-all', ASYNC),
      manager<PartnerRunView>('POST /api/partner-orders/process-all', ASYNC),
    ]);
    expect([first.status, second.status]).toEqual([202, 202]);
    const runs = [await taken(first.body.id), await taken(second.body.id)];
    expect(runs.reduce((sum, { total }) => sum + total, 0)).toBe(4);
    expect(runs.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
    const asked = await context.said('orders.partner-stock-requested.v1');
    expect(asked.map(({ data }) => data)).toMatchObject([
      { number: '1', attempt: 1, items: [{ sku: 'FLOUR', quantity: 2 }] },
      { number: '3', attempt: 1 },
      { number: '4', attempt: 1 },
    ]);
    expect(asked.every(({ key, subject }) => key === PARTNER_ORDERS_KEY && subject !== key)).toBe(true);
    const seen = await all();
    expect(seen['1']).toMatchObject({ status: 'NEW', processing: true });
    expect(seen['2']).toMatchObject({ status: 'FAILED', processing: false, reason: 'quantity-not-whole' });
  });

  test('given answers of the warehouses, when they come, also twice, then each order is decided once', async () => {
    await answered('1', 1, true);
    await answered('3', 1, false);
    await answered('3', 1, true);
    await answered('1', 1, false);
    const seen = await all();
    expect(seen['1']).toMatchObject({ status: 'PROCESSED', allocations: [{ warehouseId: 'w1', quantity: 2 }] });
    expect(seen['3']).toMatchObject({
      status: 'FAILED',
      reason: 'insufficient-stock',
      shortages: [{ sku: 'SUGAR', wanted: 5, available: 4 }],
    });
    expect(seen['4']).toMatchObject({ status: 'NEW', processing: true });
    const byStatus = await http.call<{ items: { number: string }[] }>('GET /api/partner-orders?status=FAILED', {
      as: 'staff',
    });
    expect(byStatus.body.items.map(({ number }) => number)).toEqual(['3', '2']);
  });

  test('given a run, when it is asked for, then it says how far it is', async () => {
    const [{ id } = { id: '' }] = await context.sql<{ id: string }>(
      'SELECT id FROM orders.partner_runs ORDER BY total DESC LIMIT 1',
    );
    const { body } = await http.call<PartnerRunView>(`GET /api/partner-orders/runs/${id}`, { as: 'staff' });
    expect(body).toMatchObject({ total: 4, processed: 1, failed: 2, dropped: 0, waiting: 1 });
    const missing = await http.call('GET /api/partner-orders/runs/01900000-0000-7000-8000-00000000dead', {
      as: 'staff',
    });
    expect(missing.status).toBe(404);
  });

  test('given a reset while one is being decided, when its answer comes too late, then it changes nothing', async () => {
    const { body } = await manager('POST /api/partner-orders/reset');
    expect(body).toEqual({ reset: 4 });
    await answered('4', 1, true);
    for (const order of Object.values(await all())) expect(order).toMatchObject({ status: 'NEW', processing: false });
    const said = await context.said('orders.partner-order-reset.v1');
    expect(said.map(({ data }) => (data as { attempt: number }).attempt)).toEqual([1, 1, 1, 1]);
    expect((await manager('POST /api/partner-orders/reset')).body).toEqual({ reset: 0 });
    const runs = await context.sql('SELECT sum(dropped)::integer AS dropped FROM orders.partner_runs');
    expect(runs).toEqual([{ dropped: 1 }]);
  });

  test('given one order, when it is processed with a key, then the answer waits for the warehouses and is given again', async () => {
    const id = await idOf('1');
    const headers = { 'idempotency-key': 'one' };
    const waiting = manager<PartnerOrderView>(`POST /api/partner-orders/${id}/process`, headers);
    await expect.poll(async () => (await all())['1']?.processing, { timeout: 20_000 }).toBe(true);
    await answered('1', 2, true);
    const first = await waiting;
    expect(first).toMatchObject({ status: 200, body: { number: '1', status: 'PROCESSED' } });
    await manager('POST /api/partner-orders/reset');
    const again = await manager<PartnerOrderView>(`POST /api/partner-orders/${id}/process`, headers);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await all())['1']).toMatchObject({ status: 'NEW', processing: false });
  });

  test('given a reset while somebody waits for one order, then nobody waits longer, and hears that it is open', async () => {
    const waiting = manager<PartnerOrderView>(`POST /api/partner-orders/${await idOf('1')}/process`);
    await expect.poll(async () => (await all())['1']?.processing, { timeout: 20_000 }).toBe(true);
    await manager('POST /api/partner-orders/reset');
    expect(await waiting).toMatchObject({ status: 202, body: { status: 'NEW', processing: false } });
  });

  test('given an order that has failed, when it is processed again without a reset, then it stays as it is', async () => {
    const id = await idOf('2');
    const failed = await manager<PartnerOrderView>(`POST /api/partner-orders/${id}/process`);
    expect(failed).toMatchObject({ status: 200, body: { status: 'FAILED', reason: 'quantity-not-whole' } });
    expect((await manager(`POST /api/partner-orders/${id}/process`)).body).toEqual(failed.body);
    const missing = '01900000-0000-7000-8000-00000000dead';
    expect((await manager(`POST /api/partner-orders/${missing}/process`)).status).toBe(404);
    expect((await http.call(`GET /api/partner-orders/${missing}`, { as: 'staff' })).status).toBe(404);
  });

  test('given that nothing can be taken, when all are to be processed, then that is answered at once; cut off, it goes on with its repeat', async () => {
    await manager('POST /api/partner-orders/reset');
    const line = 'POST /api/partner-orders/process-all';
    const headers = { ...ASYNC, 'idempotency-key': 'cut off' };
    await context.sql('BEGIN');
    await context.sql('LOCK TABLE orders.partner_orders IN EXCLUSIVE MODE');
    const begun = await manager<PartnerRunView>(line, headers);
    expect([begun.status, begun.headers['location']]).toEqual([202, `/api/partner-orders/runs/${begun.body.id}`]);
    expect(begun.body).toMatchObject({ complete: false, total: 0 });
    await vi.waitFor(async () => {
      const ended = await context.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(ended.length).toBeGreaterThan(0);
    }, PATIENT);
    await context.sql('COMMIT');
    await vi.waitFor(() => expect(errors).toEqual(['A run of partner orders was cut off']), PATIENT);
    for (const order of Object.values(await all())) expect(order).toMatchObject({ status: 'NEW', processing: false });
    const repeated = await manager<PartnerRunView>(line, headers);
    expect([repeated.status, repeated.body.id]).toEqual([202, begun.body.id]);
    expect(await taken(begun.body.id)).toMatchObject({ total: 4, failed: 1, waiting: 3 });
  });

  test('given the lines of an order, when orders writes them anew or deletes it, then the database refuses', async () => {
    for (const text of [
      "UPDATE orders.partner_orders SET items = '[]'",
      "UPDATE orders.partner_orders SET number = '9'",
      'DELETE FROM orders.partner_orders',
    ]) {
      await context.sql('BEGIN');
      await context.sql('SET LOCAL ROLE provender_orders');
      await expect(context.sql(text)).rejects.toThrow('permission denied');
      await context.sql('ROLLBACK');
    }
  });
});

describe('Without a feed', () => {
  test('given no address of a feed, when it is to be imported, then that is said', async () => {
    const alone = await openTestContext(orders);
    const alonesHttp = await openTestHttp(alone);
    const { status, body } = await alonesHttp.call('POST /api/partner-orders/import', { as: 'manager' });
    expect([status, body['type']]).toEqual([409, '/problems/no-source']);
    await alonesHttp.close();
    await alone.close();
  });
});
