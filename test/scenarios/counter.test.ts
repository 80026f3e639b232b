import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import {
  addPeople,
  bake,
  balanceOf,
  defineProduct,
  euro,
  made,
  openSite,
  type OrderSeen,
  payIn,
  type People,
  statesOf,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;
let siteId: string;
let bread: string;
let coffee: string;

function sell(productId: string, tender: object, quantity = 1) {
  const body = { siteId, lines: [{ productId, quantity }], channel: 'counter', tender };
  return shop.api.call<OrderSeen>('POST /api/orders', { token: people.staff.token, body });
}

type Takings = { items: { tender: string; net: { amount: number } }[] };

async function takings(): Promise<Record<string, number>> {
  await shop.idle();
  const line = `GET /api/bank/takings?siteId=${siteId}`;
  const { items } = await made<Takings>(shop, line, { token: people.staff.token });
  return Object.fromEntries(items.map(({ tender, net }) => [tender, net.amount]));
}

describeInBothShapes('selling over the counter', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    bread = await defineProduct(shop, people.manager);
    coffee = await defineProduct(shop, people.manager, { name: 'Coffee', stock: 'made-to-order', price: euro(260) });
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 10 });
    await payIn(shop, people.manager, people.customer.id, 1_000);
  });

  afterAll(() => shop.close());

  test('given cash on the counter, when staff sells, then there is change and the goods are gone at once', async () => {
    const sold = await sell(bread, { kind: 'cash', received: euro(1_000) }, 2);
    expect(sold.status).toBe(201);
    expect(sold.body).toMatchObject({ status: 'delivered', total: { amount: 760 }, change: { amount: 240 } });
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, bread)).toEqual({ available: 8, sold: 2 });
    expect(await takings()).toMatchObject({ cash: 760 });
    await shop.expectPromises();
  });

  test('given less cash than the total, when staff sells, then it is refused and nothing moves', async () => {
    const before = await takings();
    const refused = await sell(bread, { kind: 'cash', received: euro(379) });
    expect([refused.status, refused.body]).toMatchObject([expect.any(Number), { type: expect.any(String) }]);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.status).toBeLessThan(500);
    expect(await takings()).toEqual(before);
    expect(await statesOf(shop, people.staff, siteId, bread)).toEqual({ available: 8, sold: 2 });
  });

  test('given a card, when staff sells, then the takings of the site show it beside the cash', async () => {
    expect((await sell(bread, { kind: 'card' })).body).toMatchObject({ status: 'delivered' });
    expect(await takings()).toMatchObject({ cash: 760, card: 380 });
    await shop.expectPromises();
  });

  test('given the account of a customer, when staff sells, then her balance pays, and no further than it reaches', async () => {
    const onAccount = { kind: 'account', customerId: people.customer.id };
    const sold = await sell(bread, onAccount, 2);
    expect(sold.body).toMatchObject({ status: 'delivered', customerId: people.customer.id });
    expect(await balanceOf(shop, people.customer)).toBe(240);
    const refused = await sell(bread, onAccount);
    expect(refused.status).toBe(402);
    expect(await balanceOf(shop, people.customer)).toBe(240);
    await shop.expectPromises();
  });

  test('given coffee, which is made to order, when it is paid for, then it waits on the board until it is handed over', async () => {
    const sold = await sell(coffee, { kind: 'cash', received: euro(300) });
    expect(sold.body).toMatchObject({ status: 'waiting', change: { amount: 40 } });
    for (const status of ['ready', 'delivered']) {
      await made(shop, `PATCH /api/orders/${sold.body.id}`, { token: people.staff.token, body: { status } });
    }
    await shop.expectPromises();
  });

  test('given a customer who is no staff, when she names a tender or the counter, then she may not', async () => {
    const body = { siteId, lines: [{ productId: bread, quantity: 1 }], channel: 'counter', tender: { kind: 'card' } };
    const refused = await shop.api.call('POST /api/orders', { token: people.customer.token, body });
    expect(refused.status).toBe(403);
    const another = { ...body, tender: { kind: 'account', customerId: people.neighbour.id } };
    const refusedToo = await shop.api.call('POST /api/orders', { token: people.customer.token, body: another });
    expect(refusedToo.status).toBe(403);
  });

  test('given a cash sale that is still on the board, when it is cancelled, then the takings give it back', async () => {
    const before = await takings();
    const sold = await sell(coffee, { kind: 'cash', received: euro(260) });
    expect(await takings()).toEqual({ ...before, cash: (before.cash ?? 0) + 260 });
    await made(shop, `POST /api/orders/${sold.body.id}/cancel`, { token: people.staff.token });
    expect(await takings()).toEqual(before);
    await shop.expectPromises();
  });
});
