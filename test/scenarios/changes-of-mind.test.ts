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

function change(line: string, body: object) {
  return made(shop, `PATCH ${line}`, { token: people.manager.token, body });
}

describeInBothShapes('changes while the shop is open', (startTown) => {
  beforeAll(async () => {
    shop = await startTown({ now: '2026-11-21T12:00:00.000Z' });
    people = await addPeople(shop);
    await payIn(shop, people.manager, people.customer.id, 100_000);
  });

  afterAll(() => shop.close());

  test('given an open order, when its product is taken out of the range, then it is still made and handed over', async () => {
    const siteId = await openSite(shop, people.manager);
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 3 });
    const kept = await order(shop, people.customer, { siteId, productId });
    const given = await order(shop, people.customer, { siteId, productId });
    await shop.api.call(`DELETE /api/products/${productId}`, { token: people.manager.token });
    await moveTo(shop, people.staff, kept.body.id, 'ready');
    await moveTo(shop, people.staff, kept.body.id, 'delivered');
    await made(shop, `POST /api/orders/${given.body.id}/cancel`, { token: people.customer.token });
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ sold: 1, available: 2 });
    await shop.advanceTo('2026-11-21T12:20:00.000Z');
    await shop.expectPromises();
  });

  test('given goods on the shelf, when the product becomes one that is made to order, then it sells without them', async () => {
    const siteId = await openSite(shop, people.manager);
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 2 });
    const before = await order(shop, people.customer, { siteId, productId });
    await change(`/api/products/${productId}`, { stock: 'made-to-order', shelfLife: null });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: null });
    const after = await order(shop, people.customer, { siteId, productId, quantity: 5 });
    expect([before.status, after.status]).toEqual([201, 201]);
    await change(`/api/products/${productId}`, { stock: 'unit', shelfLife: 'PT14H' });
    await shop.idle();
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 1 });
    for (const { body } of [before, after]) {
      await moveTo(shop, people.staff, body.id, 'ready');
      await moveTo(shop, people.staff, body.id, 'delivered');
    }
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ sold: 1, available: 1 });
    await shop.expectPromises();
  });

  test('given a price in another currency than the site, when somebody looks and buys, then it is neither offered nor sold', async () => {
    const siteId = await openSite(shop, people.manager);
    const price = { amount: 100, currency: 'USD' };
    const productId = await defineProduct(shop, people.manager, { price, unitCost: price });
    const baked = await shop.api.call('POST /api/production/batches', {
      token: people.staff.token,
      body: { siteId, productId, quantity: 1 },
    });
    expect(baked.status).toBeLessThan(500);
    expect(await menuItem(shop, siteId, productId)).toBeUndefined();
    const refused = await order(shop, people.customer, { siteId, productId });
    expect([refused.status, refused.body]).toMatchObject([409, { type: '/problems/product-unavailable' }]);
    await shop.expectPromises();
  });

  test('given a shop that changes its hours to have closed already, when the next sweeps come, then the day ends as it should', async () => {
    const siteId = await openSite(shop, people.manager);
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 3 });
    const placed = await order(shop, people.customer, { siteId, productId });
    const before = await balanceOf(shop, people.customer);
    await shop.advanceTo('2026-11-21T13:01:00.000Z');
    await change(`/api/sites/${siteId}`, { closesAt: '14:00' });
    const refused = await order(shop, people.customer, { siteId, productId });
    expect(refused.body).toMatchObject({ type: '/problems/site-closed' });
    await shop.advanceTo('2026-11-21T13:31:00.000Z');
    await shop.idle();
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'cancelled' });
    expect(await balanceOf(shop, people.customer)).toBe(before + 380);
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ discarded: 3 });
    await shop.expectPromises();
  });

  test('given a shop that stays open longer, when its former closing comes, then nothing ends before the new one', async () => {
    const siteId = await openSite(shop, people.manager, { closesAt: '15:00' });
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 2 });
    const placed = await order(shop, people.customer, { siteId, productId });
    await change(`/api/sites/${siteId}`, { closesAt: '16:00' });
    await shop.advanceTo('2026-11-21T14:10:00.000Z');
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'waiting' });
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ available: 1, allocated: 1 });
    await shop.advanceTo('2026-11-21T15:00:01.000Z');
    await shop.idle();
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'cancelled' });
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ discarded: 2 });
    await shop.expectPromises();
  });

  test('given a shorter shelf life, when a new batch is baked, then units on the shelf keep theirs and are sold oldest first', async () => {
    const siteId = await openSite(shop, people.manager, { closesAt: '23:00' });
    const productId = await defineProduct(shop, people.manager, { shelfLife: 'PT3H', price: euro(10) });
    await bake(shop, people.staff, { siteId, productId, quantity: 1 });
    await change(`/api/products/${productId}`, { shelfLife: 'PT20M' });
    await shop.advanceTo('2026-11-21T15:10:00.000Z');
    await bake(shop, people.staff, { siteId, productId, quantity: 2 });
    await shop.advanceTo('2026-11-21T15:40:00.000Z');
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 1 });
    const sold = await order(shop, people.customer, { siteId, productId });
    expect(sold.status).toBe(201);
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ discarded: 2, allocated: 1 });
    await shop.expectPromises();
  });
});
