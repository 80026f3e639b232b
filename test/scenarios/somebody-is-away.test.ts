import { CONTEXT_NAMES } from '@provender/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../support/server-process.ts';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import {
  addPeople,
  bake,
  balanceOf,
  defineProduct,
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
let siteId: string;
let bread: string;

const ALL = CONTEXT_NAMES.join(',');
const LATER = { prefer: 'respond-async' };

function without(...names: string[]) {
  return {
    CONTEXTS: ALL.split(',')
      .filter((name) => !names.includes(name))
      .join(','),
  };
}

describeInBothShapes('when somebody is away', (startTown) => {
  beforeEach(async () => {
    // A port of its own, so that tokens hold over restarts. 17:30 on a wall in Berlin; the shop closes at six.
    const env = { PORT: String(await freePort()) };
    shop = await startTown({ now: '2026-11-21T16:30:00.000Z', env });
    people = await addPeople(shop);
    siteId = await openSite(shop, people.manager);
    bread = await defineProduct(shop, people.manager, {
      closingDiscountPercent: 0,
      keepsOvernight: true,
      shelfLife: 'P9D',
    });
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 5 });
    await payIn(shop, people.manager, people.customer.id, 10_000);
    await shop.idle();
  });

  afterEach(() => shop.close());

  test('given a bank that is down, when a hold has ended before it is back, then the order is refused and nothing was taken', async () => {
    await shop.restart({ env: without('bank') });
    const placed = await order(shop, people.customer, { siteId, productId: bread, quantity: 2 }, { headers: LATER });
    expect(placed.status).toBe(202);
    await shop.idle();
    expect(await statesOf(shop, people.staff, siteId, bread)).toEqual({ available: 3, held: 2 });
    await shop.advanceTo('2026-11-21T16:36:00.000Z');
    expect(await statesOf(shop, people.staff, siteId, bread)).toEqual({ available: 5 });
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'placed' });

    await shop.restart({ env: { CONTEXTS: ALL } });
    await shop.idle();
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'rejected' });
    expect(await balanceOf(shop, people.customer)).toBe(10_000);
    await shop.expectPromises();
  });

  test('given a bank that is back in time, when the hold still stands, then the order goes through', async () => {
    await shop.restart({ env: without('bank') });
    const placed = await order(shop, people.customer, { siteId, productId: bread }, { headers: LATER });
    await shop.advanceTo('2026-11-21T16:31:00.000Z');
    await shop.restart({ env: { CONTEXTS: ALL } });
    await shop.idle();
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'waiting' });
    expect(await balanceOf(shop, people.customer)).toBe(10_000 - 380);
    await shop.expectPromises();
  });

  test('given a shelf that is away over closing time, when it is back, then no order of yesterday is left paid and unserved', async () => {
    await shop.restart({ env: without('inventory') });
    const placed = await order(shop, people.customer, { siteId, productId: bread }, { headers: LATER });
    await shop.advanceTo('2026-11-21T17:10:00.000Z');
    expect(await orderOf(shop, people.customer, placed.body.id)).toMatchObject({ status: 'placed' });
    await shop.restart({ env: { CONTEXTS: ALL } });
    await shop.idle();
    await shop.advanceTo('2026-11-21T17:30:00.000Z');
    await shop.idle();
    const { status } = await orderOf(shop, people.customer, placed.body.id);
    expect(['rejected', 'cancelled']).toContain(status);
    expect(await balanceOf(shop, people.customer)).toBe(10_000);
    expect((await statesOf(shop, people.staff, siteId, bread))['available']).toBe(5);
    await shop.expectPromises();
  });

  test('given everything down for three days, when it is back, then what was open is closed once and the shelf is clean', async () => {
    const donut = await defineProduct(shop, people.manager, { name: 'Donut', shelfLife: 'PT25M' });
    await bake(shop, people.staff, { siteId, productId: donut, quantity: 4 });
    const waiting = await order(shop, people.customer, { siteId, productId: donut, quantity: 2 });
    const ready = await order(shop, people.customer, { siteId, productId: bread, quantity: 2 });
    expect([waiting.status, ready.status]).toEqual([201, 201]);
    await moveTo(shop, people.staff, ready.body.id, 'ready');
    await shop.restart({ at: '2026-11-24T10:00:00.000Z' });
    await shop.advanceTo('2026-11-24T10:00:01.000Z');
    await shop.idle();
    expect(await orderOf(shop, people.customer, waiting.body.id)).toMatchObject({ status: 'cancelled' });
    expect(await orderOf(shop, people.customer, ready.body.id)).toMatchObject({ status: 'delivered' });
    expect(await balanceOf(shop, people.customer)).toBe(10_000 - 760);
    await shop.advanceTo('2026-11-24T10:20:00.000Z');
    expect(await statesOf(shop, people.staff, siteId, donut)).toEqual({ discarded: 4 });
    expect(await statesOf(shop, people.staff, siteId, bread)).toEqual({ available: 3, sold: 2 });
    await shop.expectPromises();
  });

  test('given a catalog that was away, when a product was baked meanwhile, then its menu catches up', async () => {
    await shop.restart({ env: without('catalog') });
    await bake(shop, people.staff, { siteId, productId: bread, quantity: 3 });
    await shop.restart({ env: { CONTEXTS: ALL } });
    await shop.idle();
    expect(await menuItem(shop, siteId, bread)).toMatchObject({ available: 8 });
    await shop.expectPromises();
  });
});
