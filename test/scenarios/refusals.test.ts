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
  openSite,
  order,
  orderOf,
  payIn,
  type People,
  statesOf,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;
let siteId: string;

/** A product of its own for each story, with so many pieces on the shelf. */
async function onShelf(quantity: number, draft: Parameters<typeof defineProduct>[2] = {}): Promise<string> {
  const productId = await defineProduct(shop, people.manager, draft);
  if (quantity > 0) await bake(shop, people.staff, { siteId, productId, quantity });
  return productId;
}

describeInBothShapes('orders that come to nothing', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 500);
  });

  afterAll(() => shop.close());

  test('given an account without enough money, when the customer orders, then the bank says no and the units go back', async () => {
    const productId = await onShelf(4);
    const refused = await order(shop, people.customer, { siteId, productId, quantity: 2 });
    expect(refused.status).toBe(402);
    expect(refused.body).toMatchObject({ type: '/problems/payment-declined', status: 402 });
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ available: 4 });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 4 });
    expect(await balanceOf(shop, people.customer)).toBe(500);
    const { items } = await made<{ items: { status: string; reason?: string }[] }>(shop, 'GET /api/orders?limit=1', {
      token: people.customer.token,
    });
    expect(items[0]).toMatchObject({ status: 'rejected', reason: 'payment-declined' });
    await shop.expectPromises();
  });

  test('given too few on the shelf, when somebody orders more, then every shortage is told and nothing is taken', async () => {
    const few = await onShelf(2, { price: euro(10) });
    const none = await onShelf(0, { price: euro(10) });
    const lines = [
      { productId: few, quantity: 3 },
      { productId: none, quantity: 1 },
    ];
    const refused = await shop.api.call('POST /api/orders', { token: people.customer.token, body: { siteId, lines } });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      type: '/problems/insufficient-stock',
      shortages: expect.arrayContaining([
        { productId: few, wanted: 3, available: 2 },
        { productId: none, wanted: 1, available: 0 },
      ]),
    });
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, few)).toEqual({ available: 2 });
    expect(await balanceOf(shop, people.customer)).toBe(500);
    await shop.expectPromises();
  });

  test('given one product in two lines, when they want more together than there is, then the order is refused as a whole', async () => {
    const productId = await onShelf(3, { price: euro(10) });
    const lines = [
      { productId, quantity: 2 },
      { productId, quantity: 2 },
    ];
    const refused = await shop.api.call('POST /api/orders', { token: people.customer.token, body: { siteId, lines } });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ shortages: [{ productId, wanted: 4, available: 3 }] });
    await shop.expectPromises();
  });

  test('given a product that was taken out of the range, when somebody still orders it, then it is refused', async () => {
    const productId = await onShelf(2, { price: euro(10) });
    const gone = await shop.api.call(`DELETE /api/products/${productId}`, { token: people.manager.token });
    expect(gone.status).toBe(204);
    expect(await menuItem(shop, siteId, productId)).toBeUndefined();
    const refused = await order(shop, people.customer, { siteId, productId });
    expect(refused.status).toBeGreaterThanOrEqual(404);
    expect(refused.status).toBeLessThan(500);
    expect(await balanceOf(shop, people.customer)).toBe(500);
    await shop.expectPromises();
  });

  test('given a donut about to go stale, when the hold would outlive it, then it is neither offered nor sold', async () => {
    const productId = await onShelf(3, { name: 'Donut', price: euro(10), shelfLife: 'PT25M' });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 3 });
    await shop.advanceTo('2026-11-21T08:24:00.000Z');
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 0 });
    const refused = await order(shop, people.customer, { siteId, productId });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ shortages: [{ productId, wanted: 1, available: 0 }] });
    await shop.advanceTo('2026-11-21T08:31:00.000Z');
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ discarded: 3 });
    await shop.expectPromises();
  });

  test('given a closed door, when a customer orders, then the site is closed, while the counter still sells', async () => {
    const productId = await onShelf(2, { price: euro(10), keepsOvernight: true });
    await shop.advanceTo('2026-11-21T17:00:00.000Z');
    const refused = await order(shop, people.customer, { siteId, productId });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ type: '/problems/site-closed' });
    const body = { siteId, lines: [{ productId, quantity: 1 }], channel: 'counter', tender: { kind: 'card' } };
    const sold = await shop.api.call('POST /api/orders', { token: people.staff.token, body });
    expect(sold.status).toBe(201);
    expect(sold.body).toMatchObject({ status: 'delivered' });
    await shop.expectPromises();
  });

  test('given an order of somebody else, when a customer looks at it or cancels it, then it does not exist for her', async () => {
    await shop.advanceTo('2026-11-22T08:00:00.000Z');
    const productId = await onShelf(1, { price: euro(10) });
    const placed = await order(shop, people.customer, { siteId, productId });
    expect(placed.status).toBe(201);
    for (const line of [`GET /api/orders/${placed.body.id}`, `POST /api/orders/${placed.body.id}/cancel`]) {
      const answer = await shop.api.call(line, { token: people.neighbour.token });
      expect([line, answer.status]).toEqual([line, 404]);
    }
    expect((await orderOf(shop, people.customer, placed.body.id)).status).toBe('waiting');
    await shop.expectPromises();
  });
});
