import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import { addPeople, bake, defineProduct, made, openSite, type People, signInAgain, statesOf } from '../support/town.ts';

let shop: RunningTown;
let people: People;

/** Sunday, 25 October 2026, as Berlin has it. */
const DAY_BEGINS = '2026-10-24T22:00:00.000Z';
const DAY_ENDS = '2026-10-25T23:00:00.000Z';

type Batches = { items: { madeAt: string; quantity: number; scheduleId?: string }[] };

/** When batches were made at a site, oldest first. */
async function bakedAt(siteId: string): Promise<string[]> {
  const line = `GET /api/production/batches?siteId=${siteId}&limit=200`;
  const { items } = await made<Batches>(shop, line, { token: people.staff.token });
  return items.map(({ madeAt }) => madeAt).reverse();
}

async function scheduled(siteId: string, every: string): Promise<string> {
  const productId = await defineProduct(shop, people.manager, { shelfLife: 'PT5H' });
  const body = { siteId, productId, every, quantity: 2 };
  await made(shop, 'POST /api/production/schedules', { token: people.manager.token, body });
  return productId;
}

describeInBothShapes('baking by schedule', (startTown) => {
  beforeAll(async () => {
    // The evening before the night in which Berlin's clocks go from three back to two.
    shop = await startTown({ now: '2026-10-24T20:00:00.000Z' });
    people = await addPeople(shop);
  });

  afterAll(() => shop.close());

  test('given the night that has an hour twice, when a shop is open around the clock, then it bakes every hour of the 25', async () => {
    const siteId = await openSite(shop, people.manager, { opensAt: '00:00', closesAt: '24:00' });
    const early = await openSite(shop, people.manager, { opensAt: '02:30', closesAt: '05:00' });
    const productId = await scheduled(siteId, 'PT1H');
    await scheduled(early, 'PT30M');
    await shop.advanceTo('2026-10-25T23:00:00.000Z');
    const day = (await bakedAt(siteId)).filter((at) => at >= DAY_BEGINS && at < DAY_ENDS);
    expect(day).toHaveLength(25);
    expect(new Set(day).size).toBe(25);
    expect(day[0]).toBe(DAY_BEGINS);
    // 02:30 is there twice; the shop opens at the first, and closes at five by winter time: three hours and a half.
    const opened = await bakedAt(early);
    expect(opened[0]).toBe('2026-10-25T00:30:00.000Z');
    expect(opened).toHaveLength(7);
    const states = await statesOf(shop, people.staff, siteId, productId);
    expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(2 * (await bakedAt(siteId)).length);
    await shop.expectPromises();
  });

  test('given a process that was down half a day, when it is back, then it has baked each slot that is still fresh once, as of its time', async () => {
    const siteId = await openSite(shop, people.manager, { opensAt: '00:00', closesAt: '24:00' });
    const productId = await scheduled(siteId, 'PT90M');
    await shop.advanceTo('2026-10-26T05:00:00.000Z');
    const before = await bakedAt(siteId);
    await shop.restart({ at: '2026-10-26T17:00:00.000Z' });
    people = await signInAgain(shop, people);
    await shop.advanceTo('2026-10-26T17:00:01.000Z');
    await shop.idle();
    const after = await bakedAt(siteId);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after).size).toBe(after.length);
    // Shelf life is five hours: what nobody baked this morning would be stale by now, and is left out.
    const late = ['T12:30', 'T14:00', 'T15:30', 'T17:00'].map((time) => `2026-10-26${time}:00.000Z`);
    expect(after.slice(before.length)).toEqual(late);
    expect(await statesOf(shop, people.staff, siteId, productId)).toMatchObject({ available: 2 * late.length });
    await shop.restart();
    people = await signInAgain(shop, people);
    await shop.advanceTo('2026-10-26T17:00:02.000Z');
    expect(await bakedAt(siteId)).toEqual(after);
    await shop.expectPromises();
  });

  test('given a schedule that ends, when time goes on, then it bakes no more and bake now still does', async () => {
    const siteId = await openSite(shop, people.manager, { opensAt: '00:00', closesAt: '24:00' });
    const productId = await defineProduct(shop, people.manager);
    const body = { siteId, productId, every: 'PT1H', quantity: 1 };
    const { token } = people.manager;
    const { id } = await made(shop, 'POST /api/production/schedules', { token, body });
    await shop.advanceTo('2026-10-26T18:30:00.000Z');
    await shop.api.call(`DELETE /api/production/schedules/${id}`, { token });
    const before = (await bakedAt(siteId)).length;
    await shop.advanceTo('2026-10-26T21:30:00.000Z');
    expect((await bakedAt(siteId)).length).toBe(before);
    await bake(shop, people.staff, { siteId, productId, quantity: 1 });
    expect((await bakedAt(siteId)).length).toBe(before + 1);
    await shop.expectPromises();
  });
});
