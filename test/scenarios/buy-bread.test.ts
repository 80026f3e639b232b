import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import {
  addPeople,
  bake,
  balanceOf,
  defineProduct,
  made,
  menuItem,
  moveTo,
  openSite,
  order,
  orderOf,
  payIn,
  type People,
  statesOf,
  unitsOf,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;
let siteId: string;
let bread: string;

describeInBothShapes('buying bread', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    bread = await defineProduct(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 2_000);
  });

  afterAll(() => shop.close());

  test('given a warm loaf, when a customer orders it, then it goes from the menu over the board into her hands', async () => {
    const { staff, customer } = people;
    await bake(shop, staff, { siteId, productId: bread, quantity: 3 });
    expect(await menuItem(shop, siteId, bread)).toMatchObject({ available: 3, price: { amount: 380 } });

    const placed = await order(shop, customer, { siteId, productId: bread, quantity: 2 });
    expect(placed.status).toBe(201);
    expect(placed.headers.location).toBe(`/api/orders/${placed.body.id}`);
    expect(placed.body).toMatchObject({ status: 'waiting', total: { amount: 760 }, customerId: customer.id });
    expect(await balanceOf(shop, customer)).toBe(1_240);
    await shop.idle();
    expect(await menuItem(shop, siteId, bread)).toMatchObject({ available: 1 });
    expect(await statesOf(shop, staff, siteId, bread)).toEqual({ available: 1, allocated: 2 });

    for (const status of ['preparation', 'ready', 'delivered']) {
      expect(await moveTo(shop, staff, placed.body.id, status)).toMatchObject({ status });
    }
    await shop.idle();
    const { history } = await orderOf(shop, customer, placed.body.id);
    expect(history.map(({ status }) => status)).toEqual(['placed', 'waiting', 'preparation', 'ready', 'delivered']);
    expect(await statesOf(shop, staff, siteId, bread)).toEqual({ available: 1, sold: 2 });
    await shop.expectPromises();
  });

  test('given a loaf that was sold, when staff looks at it, then its history tells its whole way', async () => {
    const { staff } = people;
    const [sold] = (await unitsOf(shop, staff, siteId, bread)).filter(({ state }) => state === 'sold');
    const unit = await made<{ history: { state: string }[]; orderId: string }>(
      shop,
      `GET /api/inventory/units/${sold?.id}`,
      { token: staff.token },
    );
    expect(unit.history.map(({ state }) => state)).toEqual(['available', 'held', 'allocated', 'sold']);
    expect(unit.orderId).toBe(sold?.orderId);
  });

  test('given a payment, when the customer reads her statement, then every line has its balance and the last its order', async () => {
    const line = 'GET /api/bank/accounts/me/entries';
    const { items } = await made<{
      items: { kind: string; amount: { amount: number }; balance: { amount: number } }[];
    }>(shop, line, { token: people.customer.token });
    expect(items.map(({ kind, amount, balance }) => [kind, amount.amount, balance.amount])).toEqual([
      ['capture', -760, 1_240],
      ['deposit', 2_000, 2_000],
    ]);
  });
});
