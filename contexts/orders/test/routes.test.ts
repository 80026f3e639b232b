import type { OrderView, Said } from '@provender/contracts';
import { instant, MINUTE, plus } from '@provender/kernel';
import { openTestHttp, type TestAnswer, type TestCall, type TestHttp, TEST_USERS } from '@provender/platform/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  BEN,
  COFFEE,
  holdRefused,
  LARGE,
  LOAF,
  openShop,
  paymentCaptured,
  paymentDeclined,
  SITE,
  type Shop,
  UNKNOWN,
  unitsHeld,
} from './shop.ts';

let shop: Shop;
let http: TestHttp;
beforeAll(async () => {
  shop = await openShop();
  http = await openTestHttp(shop);
});
afterAll(async () => {
  await http.close();
  await shop.close();
});

const lines = [{ productId: LOAF, quantity: 2 }];
const draft = { siteId: SITE, lines };
type Answer = TestAnswer<OrderView & Record<string, unknown>>;

function order(options: TestCall): Promise<Answer> {
  return http.call('POST /api/orders', { as: 'customer', body: draft, ...options });
}

/** Waits for the order that has just been placed, and lets inventory and bank say what they have to say. */
async function decide(says: (id: string) => Said[]): Promise<string> {
  const id = await vi.waitFor(
    async () => {
      const [row] = await shop.sql<{ id: string }>(
        `SELECT id FROM orders.orders WHERE status = 'placed' AND id <> ALL($1) ORDER BY id DESC LIMIT 1`,
        [[...decided]],
      );
      if (row === undefined) throw new Error('Nothing has been placed yet');
      return row.id;
    },
    { timeout: 10_000 },
  );
  decided.add(id);
  await shop.hear(says(id));
  return id;
}
const decided = new Set<string>();

const paid = (id: string) => [unitsHeld(id, plus(shop.clock.now(), 2 * MINUTE)), paymentCaptured(id)];
const poor = (id: string) => [unitsHeld(id, plus(shop.clock.now(), 2 * MINUTE)), paymentDeclined(id)];
const shortages = [{ productId: LOAF, wanted: 2, available: 1 }];
const short = (id: string) => [holdRefused(id, shortages)];

async function bought(options: TestCall = {}): Promise<Answer> {
  const [answer] = await Promise.all([order(options), decide(paid)]);
  return answer;
}

describe('POST /api/orders', () => {
  test('given units and money, then the answer is the paid order', async () => {
    const answer = await bought({ body: { ...draft, note: 'sliced, please' } });
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `/api/orders/${answer.body.id}` },
      body: {
        siteId: SITE,
        customerId: TEST_USERS.customer,
        channel: 'shop',
        status: 'waiting',
        total: { amount: 500, currency: 'EUR' },
        tender: { kind: 'account' },
        note: 'sliced, please',
        history: [{ status: 'placed', by: TEST_USERS.customer }, { status: 'waiting' }],
      },
    });
    expect(answer.body.lines).toEqual([
      {
        productId: LOAF,
        name: 'Rye loaf',
        stock: 'unit',
        quantity: 2,
        listPrice: { amount: 250, currency: 'EUR' },
        discountPercent: 0,
        unitPrice: { amount: 250, currency: 'EUR' },
        total: { amount: 500, currency: 'EUR' },
      },
    ]);
    expect(answer.body).not.toHaveProperty('change');
  });

  test('given too few units, then 409 says of what', async () => {
    const [answer, id] = await Promise.all([order({}), decide(short)]);
    expect(answer).toMatchObject({
      status: 409,
      body: { type: '/problems/insufficient-stock', shortages, orderId: id },
    });
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test('given too little money, then 402', async () => {
    const [answer] = await Promise.all([order({}), decide(poor)]);
    expect(answer).toMatchObject({
      status: 402,
      body: { type: '/problems/payment-declined', reason: 'insufficient-funds' },
    });
  });

  test('given staff at the counter, when cash is received, then the answer has the change', async () => {
    const body = {
      ...draft,
      channel: 'counter',
      tender: { kind: 'cash', received: { amount: 2_000, currency: 'EUR' } },
    };
    const answer = await bought({ as: 'staff', body });
    expect(answer).toMatchObject({
      status: 201,
      body: { status: 'delivered', channel: 'counter', change: { amount: 1_500, currency: 'EUR' } },
    });
    expect(answer.body).not.toHaveProperty('customerId');
  });

  test('given staff at the counter, when a customer pays from the account, then it is the customer’s order', async () => {
    const body = { ...draft, channel: 'counter', tender: { kind: 'account', customerId: TEST_USERS.customer } };
    const answer = await bought({ as: 'staff', body });
    expect(answer).toMatchObject({
      status: 201,
      body: { customerId: TEST_USERS.customer, tender: { kind: 'account' } },
    });
    expect(await http.call(`GET /api/orders/${answer.body.id}`, { as: 'customer' })).toMatchObject({ status: 200 });
  });

  test('given a manager without a channel, then it is an order of their own', async () => {
    expect(await bought({ as: 'manager' })).toMatchObject({ status: 201, body: { customerId: TEST_USERS.manager } });
  });

  test.each([
    [{ ...draft, channel: 'counter', tender: { kind: 'cash' } }, 'customer', 403, 'forbidden'],
    [{ ...draft, tender: { kind: 'card' } }, 'customer', 403, 'forbidden'],
    [{ ...draft, channel: 'counter' }, 'staff', 400, 'invalid-request'],
    [{ ...draft, siteId: UNKNOWN }, 'customer', 404, 'not-found'],
    [{ ...draft, lines: [{ productId: UNKNOWN, quantity: 1 }] }, 'customer', 409, 'product-unavailable'],
    [{ ...draft, lines: [{ productId: LOAF, quantity: 0 }] }, 'customer', 400, 'invalid-request'],
    [{ ...draft, lines: [{ productId: LOAF, quantity: 10_001 }] }, 'customer', 400, 'invalid-request'],
    [{ ...draft, lines: [{ productId: LOAF, quantity: 1.5 }] }, 'customer', 400, 'invalid-request'],
    [{ ...draft, lines: [{ productId: LOAF, quantity: '2' }] }, 'customer', 400, 'invalid-request'],
    [{ ...draft, lines: [] }, 'customer', 400, 'invalid-request'],
    [{ ...draft, lines: Array.from({ length: 101 }, () => lines[0]) }, 'customer', 400, 'invalid-request'],
    [{ ...draft, total: { amount: 1, currency: 'EUR' } }, 'customer', 400, 'invalid-request'],
    [{ ...draft, customerId: BEN }, 'customer', 400, 'invalid-request'],
    [{ ...draft, status: 'delivered' }, 'customer', 400, 'invalid-request'],
    [{ ...draft, note: 'a\u0000b' }, 'customer', 400, 'invalid-request'],
    [
      { ...draft, channel: 'counter', tender: { kind: 'cash', received: { amount: 499, currency: 'EUR' } } },
      'staff',
      409,
      'received-too-little',
    ],
  ] as const)('given %j by %s, then it is refused with %i', async (body, as, status, kind) => {
    expect(await order({ as, body })).toMatchObject({ status, body: { type: `/problems/${kind}` } });
  });

  test('given nobody or a machine, then it is refused', async () => {
    expect(await http.call('POST /api/orders', { body: draft })).toMatchObject({ status: 401 });
  });

  test('given Prefer: respond-async, then 202 tells where to ask, and the outcome is there later', async () => {
    const answer = await order({ headers: { prefer: 'respond-async' } });
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/api/orders/${answer.body.id}`, 'preference-applied': 'respond-async' },
      body: { status: 'placed' },
    });
    await decide(paid);
    expect(await http.call(`GET /api/orders/${answer.body.id}`, { as: 'customer' })).toMatchObject({
      body: { status: 'waiting' },
    });
  });
});

describe('a repeat with the same Idempotency-Key', () => {
  const key = (name: string) => ({ 'idempotency-key': name });

  test('given an order that has moved on since, then the first answer is given again, to the letter', async () => {
    const first = await bought({ headers: key('letter') });
    await http.call(`PATCH /api/orders/${first.body.id}`, { as: 'staff', body: { status: 'preparation' } });
    await http.call(`POST /api/orders/${first.body.id}/cancel`, { as: 'customer' });
    const repeat = await order({ headers: key('letter') });
    expect(repeat).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(JSON.stringify(repeat.body)).toBe(JSON.stringify(first.body));
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
  });

  test.each([
    ['stock', short, 409],
    ['money', poor, 402],
  ] as const)('given an order refused for want of %s, then it is refused alike', async (name, says, status) => {
    const [first] = await Promise.all([order({ headers: key(name) }), decide(says)]);
    const repeat = await order({ headers: key(name) });
    expect(repeat).toMatchObject({ status, headers: { 'idempotency-replayed': 'true' } });
    expect(JSON.stringify(repeat.body)).toBe(JSON.stringify(first.body));
  });

  test('given a request that was refused at once, then it is refused alike', async () => {
    const body = { ...draft, lines: [{ productId: UNKNOWN, variationId: LARGE, quantity: 1 }] };
    const first = await order({ body, headers: key('unknown') });
    const repeat = await order({ body, headers: key('unknown') });
    expect(repeat).toMatchObject({ status: 409, headers: { 'idempotency-replayed': 'true' } });
    expect(JSON.stringify(repeat.body)).toBe(JSON.stringify(first.body));
  });

  test('given a first answer of 202, then the repeat waits and gets the outcome', async () => {
    const first = await order({ headers: { ...key('async'), prefer: 'respond-async' } });
    expect(first.status).toBe(202);
    const [repeat] = await Promise.all([order({ headers: key('async') }), decide(paid)]);
    expect(repeat).toMatchObject({ status: 201, body: { id: first.body.id, status: 'waiting' } });
    const again = await order({ headers: { ...key('async'), prefer: 'respond-async' } });
    expect(JSON.stringify(again.body)).toBe(JSON.stringify(repeat.body));
  });

  test('given 50 at once, then one order is placed and all get the one answer', async () => {
    const all = Promise.all(Array.from({ length: 50 }, () => order({ headers: key('crowd') })));
    await decide(paid);
    const answers = await all;
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  test('given another request with the key, then 422', async () => {
    await bought({ headers: key('other') });
    const body = { ...draft, lines: [{ productId: COFFEE, quantity: 1 }] };
    expect(await order({ body, headers: key('other') })).toMatchObject({
      status: 422,
      body: { type: '/problems/idempotency-key-reused' },
    });
  });
});

describe('reading orders', () => {
  test('given an order, then its owner and staff may read it, and nobody else', async () => {
    const mine = (await bought()).body.id;
    const others = await shop.waiting();
    expect(await http.call(`GET /api/orders/${mine}`, { as: 'customer' })).toMatchObject({
      status: 200,
      body: { id: mine },
    });
    for (const as of ['staff', 'manager'] as const) {
      expect(await http.call(`GET /api/orders/${others}`, { as })).toMatchObject({ status: 200 });
    }
    for (const id of [others, UNKNOWN]) {
      const answer = await http.call(`GET /api/orders/${id}`, { as: 'customer' });
      expect(answer).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
    }
    expect(await http.call(`GET /api/orders/${mine}`)).toMatchObject({ status: 401 });
    expect(await http.call('GET /api/orders/not-an-id', { as: 'staff' })).toMatchObject({ status: 400 });
  });

  test('given staff who moved an order, then the customer is not told who', async () => {
    const { id } = (await bought()).body;
    await http.call(`PATCH /api/orders/${id}`, { as: 'staff', body: { status: 'ready' } });
    const seen = await http.call<OrderView>(`GET /api/orders/${id}`, { as: 'customer' });
    expect(seen.body.history.map((entry) => entry.by)).toEqual([TEST_USERS.customer, undefined, undefined]);
    const told = await http.call<OrderView>(`GET /api/orders/${id}`, { as: 'staff' });
    expect(told.body.history.map((entry) => entry.by)).toEqual([TEST_USERS.customer, undefined, TEST_USERS.staff]);
  });

  type List = { items: OrderView[]; nextCursor?: string };

  test('given many orders, then pages are newest first and leave none out', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const after: string = cursor === undefined ? '' : `&cursor=${cursor}`;
      const list = await http.call<List>(`GET /api/orders?limit=3${after}`, { as: 'staff' });
      expect(list.status).toBe(200);
      seen.push(...list.body.items.map((each) => each.id));
      cursor = list.body.nextCursor;
    } while (cursor !== undefined);
    const rows = await shop.sql<{ id: string }>('SELECT id FROM orders.orders ORDER BY id DESC');
    expect(seen).toEqual(rows.map((row) => row.id));
  });

  test.each(['', '&status=waiting', '&status=placed', '&status=delivered', '&status=cancelled', '&status=rejected'])(
    'given the filter "%s", then each list holds what is asked for and no more',
    async (status) => {
      const filters = ['', `&siteId=${SITE}`, `&customerId=${TEST_USERS.customer}`, `&siteId=${UNKNOWN}`];
      for (const filter of filters) {
        const list = await http.call<List>(`GET /api/orders?limit=200${status}${filter}`, { as: 'staff' });
        const rows = await shop.sql<{ id: string }>(
          `SELECT id FROM orders.orders WHERE ($1 = '' OR status = $1) AND ($2 = '' OR site_id::text = $2)
             AND ($3 = '' OR customer_id::text = $3) ORDER BY id DESC`,
          [
            status.replace('&status=', ''),
            filter.startsWith('&siteId=') ? filter.replace('&siteId=', '') : '',
            filter.startsWith('&customerId=') ? filter.replace('&customerId=', '') : '',
          ],
        );
        expect(list.body.items.map((each) => each.id)).toEqual(rows.map((row) => row.id));
      }
    },
  );

  test('given a customer, then only their own orders are listed, whatever they ask for', async () => {
    const own = await http.call<List>('GET /api/orders?limit=200', { as: 'customer' });
    expect(own.body.items.length).toBeGreaterThan(0);
    expect(own.body.items.every((each) => each.customerId === TEST_USERS.customer)).toBe(true);
    const others = await http.call<List>(`GET /api/orders?customerId=${BEN}`, { as: 'customer' });
    expect(others.body).toEqual({ items: [] });
  });

  test.each(['status=eaten', 'siteId=1', 'limit=0', 'limit=201', 'cursor=x', 'sort=total'])(
    'given the query %s, then 400',
    async (query) => {
      expect(await http.call(`GET /api/orders?${query}`, { as: 'staff' })).toMatchObject({ status: 400 });
    },
  );
});

describe('moving and cancelling over HTTP', () => {
  test('given a step that the table does not have, then 409 says from where, to where and where else', async () => {
    const { id } = (await bought()).body;
    const answer = await http.call(`PATCH /api/orders/${id}`, { as: 'staff', body: { status: 'delivered' } });
    expect(answer).toMatchObject({
      status: 409,
      body: {
        type: '/problems/illegal-transition',
        from: 'waiting',
        to: 'delivered',
        allowed: ['preparation', 'ready'],
      },
    });
    const cancelled = await http.call(`PATCH /api/orders/${id}`, { as: 'staff', body: { status: 'cancelled' } });
    expect(cancelled).toMatchObject({ status: 409, body: { type: '/problems/illegal-transition' } });
    const ready = await http.call(`PATCH /api/orders/${id}`, { as: 'staff', body: { status: 'ready' } });
    expect(ready).toMatchObject({ status: 200, body: { id, status: 'ready' } });
  });

  test('given a customer, then they may not move an order; and nobody may move one that is not there', async () => {
    const { id } = (await bought()).body;
    const body = { status: 'ready' };
    expect(await http.call(`PATCH /api/orders/${id}`, { as: 'customer', body })).toMatchObject({ status: 403 });
    expect(await http.call(`PATCH /api/orders/${UNKNOWN}`, { as: 'staff', body })).toMatchObject({ status: 404 });
  });

  test('given the owner, then the order is cancelled once, and a repeat of the key gets the same answer', async () => {
    const { id } = (await bought()).body;
    const headers = { 'idempotency-key': 'cancel' };
    const first = await http.call(`POST /api/orders/${id}/cancel`, { as: 'customer', headers });
    expect(first).toMatchObject({ status: 200, body: { status: 'cancelled', reason: 'cancelled-by-customer' } });
    const repeat = await http.call(`POST /api/orders/${id}/cancel`, { as: 'customer', headers });
    expect(repeat).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' }, body: first.body });
    const again = await http.call(`POST /api/orders/${id}/cancel`, { as: 'customer' });
    expect(again).toMatchObject({ status: 409, body: { from: 'cancelled', to: 'cancelled', allowed: [] } });
  });

  test('given somebody else’s order, then cancelling it finds nothing', async () => {
    const id = await shop.waiting();
    expect(await http.call(`POST /api/orders/${id}/cancel`, { as: 'customer' })).toMatchObject({ status: 404 });
  });

  test('given a closed site, then shop orders are refused and the counter sells', async () => {
    shop.clock.advanceTo(instant(Date.parse('2026-11-21T18:30:00.000Z')));
    expect(await order({})).toMatchObject({ status: 409, body: { type: '/problems/site-closed' } });
    const body = { ...draft, channel: 'counter', tender: { kind: 'card' } };
    expect(await bought({ as: 'staff', body })).toMatchObject({ status: 201, body: { status: 'delivered' } });
  });
});

describe('a server that takes no more', () => {
  test('given an intake that has stopped, then orders are refused with 503 and may be sent again', async () => {
    await shop.running.reactor.stop();
    expect(await order({ as: 'staff' })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { type: '/problems/unavailable' },
    });
  });
});
