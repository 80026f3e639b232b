import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { addPeople, bake, defineProduct, made, openSite, order, payIn, type People } from '../support/town.ts';

type Parked = {
  readonly id: string;
  readonly consumer: string;
  readonly type: string;
  readonly subject: string;
  readonly error?: string;
  readonly attempts: number;
};

let shop: TestServer;
let people: People;
let siteId: string;
let orderId: string;
let orders = 0;

beforeAll(async () => {
  shop = await startTestServer();
  people = await addPeople(shop);
  siteId = await openSite(shop, people.manager);
  await payIn(shop, people.manager, people.customer.id, 10_000);
});
afterAll(() => shop.close());

beforeEach(() => {
  orders += 1;
  orderId = `0199aaaa-0000-7000-8000-00000000000${orders}`;
});

/** Says something in the name of orders that orders would never say: the bank cannot read such a moment. */
async function say(type: string, data: object): Promise<void> {
  await shop.sql(
    `WITH head AS (UPDATE orders.outbox_head SET position = position + 1 RETURNING position)
     INSERT INTO orders.outbox (position, id, type, key, subject, time, data)
     SELECT position, gen_random_uuid(), $1, $2, $3, now(), $4 FROM head`,
    [type, siteId, orderId, JSON.stringify(data)],
  );
}

function paymentRequested(notAfter: string, amount = 350) {
  const money = { amount, currency: 'EUR' };
  return { orderId, siteId, amount: money, tender: 'account', customerId: people.customer.id, notAfter };
}

const SOON = '2026-11-21T09:00:00.000Z';

async function parked(): Promise<Parked[]> {
  const line = 'GET /api/events/parked';
  const { items } = await made<{ items: Parked[] }>(shop, line, { token: people.manager.token });
  return items.filter(({ subject }) => subject === orderId).reverse();
}

/** Waits until so many events of the order are parked, oldest first. */
function parkedSoon(count: number): Promise<Parked[]> {
  return vi.waitFor(
    async () => {
      const found = await parked();
      expect(found).toHaveLength(count);
      return found;
    },
    { timeout: 5_000 },
  );
}

function release(action: 'retry' | 'drop', id: string | undefined, key?: string) {
  return shop.api.call<{ handled?: number; type?: string }>(`POST /api/events/parked/${id}/${action}`, {
    token: people.manager.token,
    key,
  });
}

async function booked(): Promise<string[]> {
  const rows = await shop.sql<{ kind: string }>('SELECT kind FROM bank.transactions WHERE order_id = $1 ORDER BY id', [
    orderId,
  ]);
  return rows.map(({ kind }) => kind);
}

async function repair(id: string | undefined): Promise<void> {
  await shop.sql(
    `UPDATE bank.parked_events SET event = jsonb_set(event::jsonb, '{data,notAfter}', to_jsonb($2::text))::json
     WHERE id = $1`,
    [id, SOON],
  );
}

describe('parked events', () => {
  test('given a poisoned event, when others come, then its subject waits and all else flows', async () => {
    await say('orders.payment-requested.v1', paymentRequested('soon'));
    await say('orders.refund-requested.v1', { orderId, siteId, amount: { amount: 350, currency: 'EUR' }, reason: 'x' });

    const [poisoned, behind] = await parkedSoon(2);
    expect(poisoned).toMatchObject({ consumer: 'bank', type: 'orders.payment-requested.v1', attempts: 1 });
    expect(poisoned?.error).toContain('is no instant: soon');
    expect(behind).toMatchObject({ type: 'orders.refund-requested.v1', attempts: 0 });
    expect(behind).not.toHaveProperty('error');

    const bread = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 1 });
    expect((await order(shop, people.customer, { siteId, productId: bread })).status).toBe(201);

    const { ok, checks } = await made<{ ok: boolean; checks: { name: string; ok: boolean; violations: object[] }[] }>(
      shop,
      'GET /api/verify',
      { token: people.manager.token },
    );
    expect(ok).toBe(false);
    const failing = checks.filter((check) => !check.ok);
    expect(failing.map(({ name }) => name)).toEqual(['no event is parked in bank']);
    expect(failing[0]?.violations).toContainEqual(expect.objectContaining({ id: poisoned?.id, source: 'orders' }));

    await release('drop', poisoned?.id);
    expect(await parked()).toEqual([]);
  });

  test('given the cause repaired, when retried, then it is handled, and those behind it after it', async () => {
    await say('orders.payment-requested.v1', paymentRequested('soon'));
    await say('orders.refund-requested.v1', { orderId, siteId, amount: { amount: 350, currency: 'EUR' }, reason: 'x' });
    const [poisoned] = await parkedSoon(2);

    const early = await release('retry', poisoned?.id);
    expect(early).toMatchObject({ status: 409, body: { type: '/problems/still-failing' } });
    expect(early.text).not.toContain('instant');
    expect((await parked())[0]).toMatchObject({ id: poisoned?.id, attempts: 2 });
    expect(await booked()).toEqual([]);

    await repair(poisoned?.id);
    expect(await release('retry', poisoned?.id)).toMatchObject({ status: 200, body: { handled: 2 } });
    // The refund alone would have found nothing to give back.
    expect(await booked()).toEqual(['capture', 'refund']);
    expect(await parked()).toEqual([]);

    await say('orders.payment-requested.v1', paymentRequested('later'));
    const [again] = await parkedSoon(1);
    expect(again?.error).toContain('later');
    expect((await release('drop', again?.id)).body).toEqual({ handled: 1 });
  });

  test('given something good behind a parked event, when that is dropped, then the good is handled', async () => {
    await say('orders.payment-requested.v1', paymentRequested('soon'));
    await say('orders.payment-requested.v1', paymentRequested(SOON, 120));
    const [poisoned] = await parkedSoon(2);

    expect(await release('drop', poisoned?.id)).toMatchObject({ status: 200, body: { handled: 2 } });

    expect(await booked()).toEqual(['capture']);
    expect(await release('drop', poisoned?.id)).toMatchObject({ status: 404 });
  });

  test('given two that cannot be handled, when the first is dropped, then the second stays and says why', async () => {
    await say('orders.payment-requested.v1', paymentRequested('soon'));
    await say('orders.payment-requested.v1', paymentRequested('later'));
    const [first, second] = await parkedSoon(2);

    expect(await release('drop', first?.id)).toMatchObject({ status: 200, body: { handled: 1 } });

    const left = await parked();
    expect(left.map(({ id }) => id)).toEqual([second?.id]);
    expect(left[0]?.error).toContain('later');
    expect(await release('drop', second?.id)).toMatchObject({ status: 200, body: { handled: 1 } });
  });

  test('given a key, when a release is repeated with it, then the first answer comes again', async () => {
    await say('orders.payment-requested.v1', paymentRequested('soon'));
    const [poisoned] = await parkedSoon(1);
    expect((await release('retry', poisoned?.id, 'one')).status).toBe(409);
    await repair(poisoned?.id);

    const refusedAgain = await release('retry', poisoned?.id, 'one');
    expect(refusedAgain).toMatchObject({ status: 409, headers: { 'idempotency-replayed': 'true' } });
    const first = await release('retry', poisoned?.id, 'two');
    const second = await release('retry', poisoned?.id, 'two');

    expect(first).toMatchObject({ status: 200, text: '{"handled":1}' });
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(second).toMatchObject({ status: 200, text: first.text, headers: { 'idempotency-replayed': 'true' } });
    expect(await booked()).toEqual(['capture']);
    const other = '0199aaaa-0000-7000-8000-0000000000ff';
    expect((await release('retry', other, 'two')).status).toBe(422);
    expect((await release('retry', other, 'three')).status).toBe(404);
  });
});
