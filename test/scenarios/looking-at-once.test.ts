import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import {
  addPeople,
  bake,
  defineProduct,
  euro,
  made,
  menuItem,
  openSite,
  order,
  type People,
  statesOf,
} from '../support/town.ts';

/** How often each look is taken: a look that is too early is so only now and then. */
const LOOKS = 15;

let shop: RunningTown;
let people: People;
let siteId: string;

describeInBothShapes('who looks right after the answer', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
  });

  afterAll(() => shop.close());

  test('given counter sales, when the shelf is looked at right after each, then what was sold is sold', async () => {
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: LOOKS });
    for (let sold = 1; sold <= LOOKS; sold += 1) {
      const body = { siteId, lines: [{ productId, quantity: 1 }], channel: 'counter', tender: { kind: 'card' } };
      await made(shop, 'POST /api/orders', { token: people.staff.token, body });
      const left = LOOKS - sold;
      const states = await statesOf(shop, people.staff, siteId, productId);
      expect(states).toEqual({ sold, ...(left === 0 ? {} : { available: left }) });
    }
    await shop.expectPromises();
  });

  test('given an empty account, when the menu is read after each refusal, then all is on it again', async () => {
    const productId = await defineProduct(shop, people.manager);
    await bake(shop, people.staff, { siteId, productId, quantity: 2 });
    for (let look = 0; look < LOOKS; look += 1) {
      expect((await order(shop, people.neighbour, { siteId, productId })).status).toBe(402);
      expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 2 });
    }
    await shop.expectPromises();
  });

  test('given loaves of yesterday, when received, then nobody can buy them and the sweep takes them', async () => {
    const productId = await defineProduct(shop, people.manager, { shelfLife: 'PT25M', price: euro(10) });
    const madeAt = '2026-11-20T08:00:00.000Z';
    const body = { siteId, productId, quantity: 3, madeAt, unitCost: euro(90) };
    await made(shop, 'POST /api/inventory/receipts', { token: people.staff.token, body });
    expect(await statesOf(shop, people.staff, siteId, productId)).toEqual({ available: 3 });
    expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 0 });
    const refused = await order(shop, people.customer, { siteId, productId });
    expect(refused.body).toMatchObject({ type: '/problems/insufficient-stock' });
    await shop.expectPromises();
    const swept = await made(shop, 'POST /api/inventory/sweeps', {
      token: people.manager.token,
      body: { siteId, kind: 'stale' },
    });
    expect(swept).toEqual({ discarded: 3 });
    const waste = await made<{ items: unknown[] }>(shop, `GET /api/inventory/waste?siteId=${siteId}`, {
      token: people.staff.token,
    });
    expect(waste.items).toContainEqual({ productId, reason: 'stale', units: 3, cost: euro(270) });
    await shop.expectPromises();
  });
});
