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
  type OrderSeen,
  payIn,
  type People,
  type Person,
  statesOf,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;
let siteId: string;

function cancel(id: string, { token }: Person) {
  return shop.api.call<OrderSeen>(`POST /api/orders/${id}/cancel`, { token });
}

async function bought(productId: string, quantity: number): Promise<string> {
  const placed = await order(shop, people.customer, { siteId, productId, quantity });
  expect(placed.status).toBe(201);
  return placed.body.id;
}

describeInBothShapes('cancelling', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    await payIn(shop, people.manager, people.customer.id, 10_000);
  });

  afterAll(() => shop.close());

  test('given an order that waits, when the customer cancels it, then the money and the fresh units are back', async () => {
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 3 });
    const id = await bought(productId, 2);
    expect(await balanceOf(shop, people.customer)).toBe(10_000 - 760);
    const cancelled = await cancel(id, people.customer);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', reason: 'cancelled-by-customer' });
    await shop.idle();
    expect(await balanceOf(shop, people.customer)).toBe(10_000);
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ available: 3 });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 3 });
    await shop.expectPromises();
  });

  test('given an order whose units went stale on the board, when it is cancelled, then they are waste', async () => {
    const productId = await defineProduct(shop, people.manager, { name: 'Donut', shelfLife: 'PT25M' });
    await bake(shop, people.staff, { siteId, productId, quantity: 2 });
    const id = await bought(productId, 2);
    await shop.advanceTo('2026-11-21T08:40:00.000Z');
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ allocated: 2 });
    expect((await cancel(id, people.customer)).status).toBe(200);
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ discarded: 2 });
    const waste = await made<{ items: object[] }>(shop, `GET /api/inventory/waste?siteId=${siteId}`, {
      token: people.staff.token,
    });
    expect(waste.items).toEqual([{ productId, reason: 'stale', units: 2, cost: { amount: 260, currency: 'EUR' } }]);
    expect(await balanceOf(shop, people.customer)).toBe(10_000);
    await shop.expectPromises();
  });

  test('given an order that is ready, when the customer cancels, then it is too late for her and not for staff', async () => {
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 1 });
    const id = await bought(productId, 1);
    await moveTo(shop, people.staff, id, 'ready');
    const refused = await cancel(id, people.customer);
    expect([refused.status, refused.body]).toMatchObject([409, { type: '/problems/illegal-transition' }]);
    expect((await cancel(id, people.staff)).body).toMatchObject({ status: 'cancelled', reason: 'cancelled-by-staff' });
    await shop.expectPromises();
    expect(await balanceOf(shop, people.customer)).toBe(10_000);
  });

  test('given every status, when staff sets every other, then the table of the design decides', async () => {
    const allowed: Record<string, readonly string[]> = {
      waiting: ['preparation', 'ready'],
      preparation: ['waiting', 'ready'],
      ready: ['preparation', 'delivered'],
      delivered: [],
      cancelled: [],
    };
    const all = ['placed', 'waiting', 'preparation', 'ready', 'delivered', 'cancelled', 'rejected'];
    const productId = await defineProduct(shop, people.manager, { stock: 'made-to-order' });
    for (const from of Object.keys(allowed)) {
      for (const to of all) {
        const id = await bought(productId, 1);
        if (from === 'cancelled') await cancel(id, people.customer);
        else if (from === 'delivered') {
          await moveTo(shop, people.staff, id, 'ready');
          await moveTo(shop, people.staff, id, 'delivered');
        } else if (from !== 'waiting') await moveTo(shop, people.staff, id, from);
        const answer = await shop.api.call(`PATCH /api/orders/${id}`, {
          token: people.staff.token,
          body: { status: to },
        });
        expect([from, to, answer.status]).toEqual([from, to, allowed[from]?.includes(to) === true ? 200 : 409]);
        if (from !== 'delivered' && from !== 'cancelled' && to !== 'delivered') await cancel(id, people.staff);
      }
    }
    await shop.expectPromises();
  });
});
