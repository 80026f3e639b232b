import { formatInstant, HOUR, MINUTE, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authoriseHold } from '../src/use-cases/hold-money.ts';
import { customerWith, euros, expectBalancedBooks, ids, inTx, paymentRequested, refundRequested } from './books.ts';
import { type Sent, type ServedBank, serveBank } from './served-bank.ts';

let demo: ServedBank;
let shop: ServedBank;
beforeAll(async () => {
  demo = await serveBank({ PROVENDER_DEMO: 'on' });
  shop = await serveBank({ PROVENDER_DEMO: 'off' });
});
afterAll(async () => {
  await demo.close();
  await shop.close();
});

type Request = { readonly key?: string; readonly roles?: string; readonly in?: ServedBank };

function get(url: string, id: string | undefined, { in: served = demo, ...request }: Request = {}): Promise<Sent> {
  return served.ask({ url, id, ...request });
}

function pay(id: string | undefined, body: unknown, { in: served = demo, ...request }: Request = {}): Promise<Sent> {
  return served.ask({ method: 'POST', url: '/api/bank/deposits', id, body, ...request });
}

const manager = ids.next();
const managers = { roles: 'manager' };
const staff = { roles: 'staff' };

describe('GET /api/bank/accounts', () => {
  it('given a user whom the bank does not know yet, when the own account is read, then it is opened', async () => {
    const ann = ids.next();
    const empty = { id: ann, balance: euros(0), held: euros(0), available: euros(0) };
    expect(await get('/api/bank/accounts/me', ann)).toMatchObject({ status: 200, body: empty });
    expect(await get(`/api/bank/accounts/${ann}`, ann)).toMatchObject({ status: 200, body: empty });
    const opened = await demo.test.said('bank.account-opened.v1');
    expect(opened.filter((event) => event.subject === ann)).toHaveLength(1);
  });

  it('given held money, when the account is read, then balance, held and available tell them apart', async () => {
    const { test } = demo;
    const ann = await customerWith(test, 500);
    const draft = { id: ids.next(), accountId: ann, orderId: ids.next(), siteId: ids.next(), amount: euros(180) };
    await inTx(test, (tx) => authoriseHold(tx, draft, { now: test.clock.now(), ids }));
    const body = { id: ann, balance: euros(500), held: euros(180), available: euros(320) };
    expect(await get('/api/bank/accounts/me', ann)).toMatchObject({ status: 200, body });
    expect(await get(`/api/bank/accounts/${ann}`, manager, managers)).toMatchObject({ status: 200, body });
  });

  it("given somebody else's account, when others than a manager read it, then there is no such account", async () => {
    const ann = await customerWith(demo.test, 500);
    for (const request of [{}, staff]) {
      const { status, body } = await get(`/api/bank/accounts/${ann}`, ids.next(), request);
      expect({ status, type: body.type }).toEqual({ status: 404, type: '/problems/not-found' });
    }
  });

  it("given no account or a site's account, when a manager reads it, then there is no such account", async () => {
    const { test } = demo;
    await test.hear([paymentRequested(test, { tender: 'cash' })]);
    const [drawer] = await test.sql<{ id: string }>("SELECT id FROM bank.accounts WHERE kind = 'cash'");
    for (const id of [ids.next(), drawer?.id]) {
      expect(await get(`/api/bank/accounts/${id}`, manager, managers)).toMatchObject({ status: 404 });
    }
    expect(await get('/api/bank/accounts/7', manager, managers)).toMatchObject({ status: 400 });
  });
});

describe('POST /api/bank/deposits', () => {
  it('given a demo, when a customer pays in, then the answer has the new balance, and it is said', async () => {
    const ann = ids.next();
    const first = await pay(ann, { amount: euros(500) });
    expect(first).toMatchObject({ status: 201, body: { accountId: ann, amount: euros(500), balance: euros(500) } });
    expect(await pay(ann, { amount: euros(5), accountId: ann })).toMatchObject({ body: { balance: euros(505) } });
    const said = (await demo.test.said('bank.deposit-received.v1')).filter((event) => event.subject === ann);
    expect(said.map((event) => event.data)).toEqual([
      { accountId: ann, amount: euros(500), balance: euros(500) },
      { accountId: ann, amount: euros(5), balance: euros(505) },
    ]);
    await expectBalancedBooks(demo.test);
  });

  it('given a key, when the deposit is repeated, then its answer is too, and the money is there once', async () => {
    const ann = ids.next();
    const request = { key: 'rent' };
    const first = await pay(ann, { amount: euros(500) }, request);
    const again = await pay(ann, { amount: euros(500) }, request);
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } });
    expect(await pay(ann, { amount: euros(501) }, request)).toMatchObject({ status: 422 });
    expect(await get('/api/bank/accounts/me', ann)).toMatchObject({ body: { balance: euros(500) } });
  });

  it('given no demo, when a customer or staff pay in to themselves, then that is forbidden', async () => {
    const ann = await customerWith(shop.test, 100);
    expect(await pay(ann, { amount: euros(500) }, { in: shop })).toMatchObject({ status: 403 });
    expect(await pay(ann, { amount: euros(500) }, { ...staff, in: shop })).toMatchObject({ status: 403 });
    expect(await get('/api/bank/accounts/me', ann, { in: shop })).toMatchObject({ body: { balance: euros(100) } });
  });

  it('given no demo, when a manager pays in to any account that there is, then the money is there', async () => {
    const ann = await customerWith(shop.test, 100);
    const request = { ...managers, in: shop };
    expect(await pay(manager, { amount: euros(50), accountId: ann }, request)).toMatchObject({
      status: 201,
      body: { accountId: ann, balance: euros(150) },
    });
    expect(await pay(manager, { amount: euros(50), accountId: ids.next() }, request)).toMatchObject({ status: 404 });
    expect(await pay(manager, { amount: euros(50) }, request)).toMatchObject({
      status: 201,
      body: { accountId: manager },
    });
  });

  it("given a demo, when a customer pays in to somebody else's account, then there is no such account", async () => {
    const ann = await customerWith(demo.test, 100);
    expect(await pay(ids.next(), { amount: euros(50), accountId: ann })).toMatchObject({ status: 404 });
    expect(await pay(ids.next(), { amount: euros(50), accountId: ann }, staff)).toMatchObject({ status: 404 });
  });

  it('given an account in euros, when dollars are paid in, then the deposit is refused', async () => {
    const answer = await pay(ids.next(), { amount: { amount: 5, currency: 'USD' } });
    expect(answer).toMatchObject({ status: 409, body: { type: '/problems/currency-mismatch' } });
  });

  it.each([
    { amount: euros(0) },
    { amount: euros(-1) },
    { amount: { amount: 0.5, currency: 'EUR' } },
    { amount: euros(1_000_000_001) },
    { amount: { amount: '5', currency: 'EUR' } },
    { amount: { amount: 5, currency: 'eur' } },
    { amount: { amount: 5, currency: 'EUR', balance: 9 } },
    { amount: 5 },
    { amount: euros(5), accountId: "' OR 1=1" },
    { amount: euros(5), balance: euros(9) },
    {},
  ])('given a body that says %j, when it is sent, then it is refused as invalid', async (body) => {
    expect(await pay(ids.next(), body)).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
  });
});

describe('GET /api/bank/accounts/me/entries', () => {
  it('given a payment and its refund, when the statement is read, then it is newest first, with balances', async () => {
    const { test } = demo;
    const ann = await customerWith(test, 1_000);
    const [orderId, siteId] = [ids.next(), ids.next()];
    await test.hear([paymentRequested(test, { orderId, customerId: ann, siteId })]);
    await test.hear([refundRequested(orderId)]);
    const { body } = await get('/api/bank/accounts/me/entries', ann);
    const at = formatInstant(test.clock.now());
    expect(body).toEqual({
      items: [
        { id: expect.any(String), kind: 'refund', amount: euros(350), balance: euros(1_000), orderId, siteId, at },
        { id: expect.any(String), kind: 'capture', amount: euros(-350), balance: euros(650), orderId, siteId, at },
        { id: expect.any(String), kind: 'deposit', amount: euros(1_000), balance: euros(1_000), at },
      ],
    });
  });

  it('given seven entries, when they are read by three, then three pages show each once', async () => {
    const ann = ids.next();
    for (let amount = 1; amount <= 7; amount += 1) await pay(ann, { amount: euros(amount) });
    const seen: unknown[] = [];
    let cursor = '';
    for (const size of [3, 3, 1]) {
      const { body } = await get(`/api/bank/accounts/me/entries?limit=3${cursor}`, ann);
      const items = body.items as { amount: { amount: number } }[];
      expect(items).toHaveLength(size);
      seen.push(...items.map((item) => item.amount.amount));
      cursor = `&cursor=${String(body.nextCursor)}`;
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(cursor).toBe('&cursor=undefined');
    expect(await get('/api/bank/accounts/me/entries?cursor=7', ann)).toMatchObject({ status: 400 });
  });
});

describe('GET /api/bank/takings', () => {
  it('given sales by every tender and a refund, when a stretch is asked for, then its sums are by tender', async () => {
    const { test } = demo;
    const ann = await customerWith(test, 1_000);
    const [orderId, siteId] = [ids.next(), ids.next()];
    const start = test.clock.now();
    await test.hear([paymentRequested(test, { siteId, customerId: ann })]);
    test.clock.advance(HOUR);
    await test.hear([
      paymentRequested(test, { siteId, orderId, tender: 'cash', amount: euros(200) }),
      paymentRequested(test, { siteId, tender: 'cash', amount: euros(50) }),
      paymentRequested(test, { siteId, tender: 'card', amount: euros(90) }),
      refundRequested(orderId, euros(200)),
    ]);
    const account = {
      tender: 'account',
      captures: 1,
      captured: euros(350),
      refunds: 0,
      refunded: euros(0),
      net: euros(350),
    };
    const card = { tender: 'card', captures: 1, captured: euros(90), refunds: 0, refunded: euros(0), net: euros(90) };
    const cash = {
      tender: 'cash',
      captures: 2,
      captured: euros(250),
      refunds: 1,
      refunded: euros(200),
      net: euros(50),
    };
    const url = `/api/bank/takings?siteId=${siteId}`;
    expect((await get(url, manager, staff)).body).toEqual({ siteId, items: [account, card, cash] });
    const from = formatInstant(plus(start, MINUTE));
    expect((await get(`${url}&from=${from}`, manager, staff)).body).toEqual({ siteId, from, items: [card, cash] });
    expect((await get(`${url}&to=${from}`, manager, staff)).body).toEqual({ siteId, to: from, items: [account] });
    const { status } = await get(`${url}&from=${from}&to=${from}`, manager, staff);
    expect(status).toBe(400);
    expect(await get(`${url}&to=9999-12-31T23:59:59-14:00`, manager, staff)).toMatchObject({ status: 200 });
  });

  it('given a site where nothing was sold, when its takings are asked for, then there are none', async () => {
    const siteId = ids.next();
    expect((await get(`/api/bank/takings?siteId=${siteId}`, manager, managers)).body).toEqual({ siteId, items: [] });
  });
});

describe('who may call', () => {
  const siteId = ids.next();
  const urls = ['/api/bank/accounts/me', `/api/bank/accounts/${siteId}`, '/api/bank/accounts/me/entries'];

  it('given nobody signed in, when any route is called, then that is 401', async () => {
    for (const url of [...urls, `/api/bank/takings?siteId=${siteId}`]) {
      expect((await get(url, undefined)).status).toBe(401);
    }
    expect((await pay(undefined, { amount: euros(5) })).status).toBe(401);
  });

  it('given a machine or a customer, when they want what is not theirs to ask, then that is 403', async () => {
    for (const url of urls) expect((await get(url, ids.next(), { roles: 'machine' })).status).toBe(403);
    expect((await pay(ids.next(), { amount: euros(5) }, { roles: 'machine' })).status).toBe(403);
    expect((await get(`/api/bank/takings?siteId=${siteId}`, ids.next())).status).toBe(403);
  });
});
