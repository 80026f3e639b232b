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
  menuItem,
  moveTo,
  openSite,
  order,
  orderOf,
  payIn,
  type People,
  statesOf,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;

type Waste = { items: { productId: string; reason: string; units: number; cost: { amount: number } }[] };

async function wasteOf(siteId: string): Promise<Waste['items']> {
  const line = `GET /api/inventory/waste?siteId=${siteId}&from=2026-11-21&to=2026-11-23`;
  return (await made<Waste>(shop, line, { token: people.staff.token })).items;
}

describeInBothShapes('the end of the day', (startTown) => {
  beforeAll(async () => {
    // Saturday, 17:10 on a wall in Berlin: the last hour of a shop that closes at six.
    shop = await startTown({ now: '2026-11-21T16:10:00.000Z' });
    people = await addPeople(shop);
    await payIn(shop, people.manager, people.customer.id, 20_000);
    await payIn(shop, people.manager, people.neighbour.id, 2_000);
  });

  afterAll(() => shop.close());

  test('given the last half hour, when the clock gets there, then menu and orders show the closing discount', async () => {
    const siteId = await openSite(shop, people.manager);
    const productId = await defineProduct(shop, people.manager, { price: euro(333), closingDiscountPercent: 40 });
    await bake(shop, people.staff, { siteId, productId, quantity: 4 });
    await shop.advanceTo('2026-11-21T16:29:59.999Z');
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ price: euro(333), discountPercent: 0 });
    const before = await order(shop, people.neighbour, { siteId, productId });
    await shop.advanceTo('2026-11-21T16:30:00.000Z');
    const item = await menuItem(shop, siteId, productId);
    expect(item).toMatchObject({ listPrice: euro(333), discountPercent: 40 });
    const after = await order(shop, people.neighbour, { siteId, productId, quantity: 2 });
    expect(before.body.total.amount).toBe(333);
    expect(after.body.total.amount).toBe(2 * (item?.price.amount ?? 0));
    // 199.8, and the part of a cent is the customer's.
    expect(item?.price.amount).toBe(199);
    await shop.expectPromises();
  });

  test('given orders in every state, when the site closes, then what was not made is paid back and what was ready is delivered', async () => {
    const { manager, staff, customer } = people;
    const siteId = await openSite(shop, manager);
    const bread = await defineProduct(shop, manager, { price: euro(300), unitCost: euro(100) });
    const water = await defineProduct(shop, manager, { name: 'Water', keepsOvernight: true, shelfLife: 'P300D' });
    await bake(shop, staff, { siteId, productId: bread, quantity: 10 });
    await bake(shop, staff, { siteId, productId: water, quantity: 5 });
    const [waiting, inPreparation, ready] = await Promise.all(
      [1, 2, 3].map(async (quantity) => (await order(shop, customer, { siteId, productId: bread, quantity })).body.id),
    );
    if (waiting === undefined || inPreparation === undefined || ready === undefined) throw new Error('No orders');
    await moveTo(shop, staff, inPreparation, 'preparation');
    await moveTo(shop, staff, ready, 'ready');
    const paidBefore = await balanceOf(shop, customer);
    const totals = await Promise.all([waiting, inPreparation].map((id) => orderOf(shop, customer, id)));

    await shop.advanceTo('2026-11-21T17:00:01.000Z');
    await shop.idle();
    expect(await orderOf(shop, customer, waiting)).toMatchObject({ status: 'cancelled', reason: 'site-closed' });
    expect(await orderOf(shop, customer, inPreparation)).toMatchObject({ status: 'cancelled', reason: 'site-closed' });
    expect(await orderOf(shop, customer, ready)).toMatchObject({ status: 'delivered', reason: 'not-collected' });
    const refunded = totals.reduce((sum, { total }) => sum + total.amount, 0);
    expect(await balanceOf(shop, customer)).toBe(paidBefore + refunded);
    expect(await statesOf(shop, staff, siteId, bread)).toEqual({ discarded: 7, sold: 3 });
    expect(await statesOf(shop, staff, siteId, water)).toEqual({ available: 5 });
    const thrownOut = (await wasteOf(siteId)).filter(({ productId }) => productId === bread);
    expect(thrownOut.reduce((sum, { units }) => sum + units, 0)).toBe(7);
    expect(thrownOut.reduce((sum, { cost }) => sum + cost.amount, 0)).toBe(700);
    await shop.expectPromises();
  });

  test('given a site around the clock, when it is midnight there, then the rest is thrown out and open orders stay', async () => {
    const { manager, staff, customer } = people;
    const siteId = await openSite(shop, manager, { name: 'Station', opensAt: '00:00', closesAt: '24:00' });
    const productId = await defineProduct(shop, manager, { shelfLife: 'P2D', closingDiscountPercent: 50 });
    await bake(shop, staff, { siteId, productId, quantity: 3 });
    const placed = await order(shop, customer, { siteId, productId });
    expect(placed.status).toBe(201);
    await shop.advanceTo('2026-11-21T22:59:00.000Z');
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 2, discountPercent: 50 });
    await shop.advanceTo('2026-11-21T23:00:01.000Z');
    await shop.idle();
    expect(await statesOf(shop, staff, siteId, productId)).toEqual({ discarded: 2, allocated: 1 });
    expect(await orderOf(shop, customer, placed.body.id)).toMatchObject({ status: 'waiting' });
    await bake(shop, staff, { siteId, productId, quantity: 1 });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 1, discountPercent: 0 });
    await moveTo(shop, staff, placed.body.id, 'ready');
    await moveTo(shop, staff, placed.body.id, 'delivered');
    await shop.expectPromises();
  });

  test('given an order of yesterday that stayed open, when it is cancelled, then its units do not come back to the shelf', async () => {
    const { manager, staff, customer } = people;
    const siteId = await openSite(shop, manager, { name: 'Station', opensAt: '00:00', closesAt: '24:00' });
    const productId = await defineProduct(shop, manager, { shelfLife: 'P2D' });
    await bake(shop, staff, { siteId, productId, quantity: 1 });
    const placed = await order(shop, customer, { siteId, productId });
    await shop.advanceTo('2026-11-22T23:00:01.000Z');
    const line = `POST /api/orders/${placed.body.id}/cancel`;
    await made(shop, line, { token: customer.token });
    await shop.idle();
    expect(await statesOf(shop, staff, siteId, productId)).toEqual({ discarded: 1 });
    await shop.expectPromises();
  });
});
