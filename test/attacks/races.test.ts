import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttackedTown, openAttackedTown } from '../support/attacked-town.ts';
import {
  addPersons,
  bake,
  balanceOf,
  defineProduct,
  euro,
  made,
  menuItem,
  order,
  orderOf,
  payIn,
  type Person,
  statesOf,
} from '../support/town.ts';

let town: AttackedTown;
let buyers: Person[];

const BUYERS = 200;
const PRICE = 250;

beforeAll(async () => {
  town = await openAttackedTown();
  const { test: server, people } = town;
  buyers = await addPersons(
    server,
    Array.from({ length: 10 }, (_item, index) => [`buyer-${index}@test.example`, ['customer']] as const),
  );
  for (const { id } of buyers) await payIn(server, people.manager, id, 1_000_000);
});

afterAll(() => town.close());

/** Counts answers by status. */
function counted(answers: readonly { readonly status: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The same call by many at once. */
function atOnce<Answer>(count: number, call: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_item, index) => call(index)));
}

function buyer(index: number): Person {
  return buyers[index % buyers.length] ?? town.people.customer;
}

async function onShelf(quantity: number): Promise<string> {
  const { test: server, people, siteId } = town;
  const productId = await defineProduct(server, people.manager, { price: euro(PRICE), shelfLife: 'P9D' });
  await bake(server, people.staff, { siteId, productId, quantity });
  return productId;
}

async function moneyOf(persons: readonly Person[]): Promise<number> {
  const balances = await Promise.all(persons.map((person) => balanceOf(town.test, person)));
  return balances.reduce((sum, balance) => sum + balance, 0);
}

describe('races', () => {
  test('given one donut, when 200 buyers want it at once, then one gets it and 199 hear that it is gone', {
    timeout: 60_000,
  }, async () => {
    const productId = await onShelf(1);
    const before = await moneyOf(buyers);
    const answers = await atOnce(BUYERS, (index) => order(town.test, buyer(index), { siteId: town.siteId, productId }));
    expect(counted(answers)).toEqual({ 201: 1, 409: BUYERS - 1 });
    const refused = answers.filter(({ status }) => status === 409).map(({ body }) => body as unknown);
    expect(refused[0]).toMatchObject({ shortages: [{ productId, wanted: 1, available: 0 }] });
    expect(await moneyOf(buyers)).toBe(before - PRICE);
    await town.test.idle();
    expect(await statesOf(town.test, town.people.staff, town.siteId, productId)).toEqual({ allocated: 1 });
    expect(await menuItem(town.test, town.siteId, productId)).toMatchObject({ available: 0 });
    await town.test.expectPromises();
  });

  test('given 60 donuts, when 100 want one or two, then never more than 60 are sold and the menu agrees', {
    timeout: 60_000,
  }, async () => {
    const productId = await onShelf(60);
    const before = await moneyOf(buyers);
    const wanted = (index: number) => 1 + (index % 2);
    const answers = await atOnce(100, (index) => {
      return order(town.test, buyer(index), { siteId: town.siteId, productId, quantity: wanted(index) });
    });
    const sold = answers.reduce((sum, { status }, index) => sum + (status === 201 ? wanted(index) : 0), 0);
    expect(Object.keys(counted(answers)).every((status) => ['201', '409'].includes(status))).toBe(true);
    expect(sold).toBeGreaterThanOrEqual(59);
    expect(sold).toBeLessThanOrEqual(60);
    expect(await moneyOf(buyers)).toBe(before - sold * PRICE);
    await town.test.idle();
    expect(await menuItem(town.test, town.siteId, productId)).toMatchObject({ available: 60 - sold });
    await town.test.expectPromises();
  });

  test('given money for three loaves, when she orders ten times at once, then three are paid and the account is not below zero', async () => {
    const productId = await onShelf(20);
    const [poor] = await addPersons(town.test, [['poor@test.example', ['customer']]]);
    if (poor === undefined) throw new Error('Nobody is poor');
    await payIn(town.test, town.people.manager, poor.id, 3 * PRICE + 1);
    const answers = await atOnce(10, () => order(town.test, poor, { siteId: town.siteId, productId }));
    expect(counted(answers)).toEqual({ 201: 3, 402: 7 });
    expect(await balanceOf(town.test, poor)).toBe(1);
    await town.test.idle();
    const states = await statesOf(town.test, town.people.staff, town.siteId, productId);
    expect(states).toEqual({ available: 17, allocated: 3 });
    await town.test.expectPromises();
  });

  test('given an order, when it is cancelled fifty times at once, then it is refunded once', async () => {
    const productId = await onShelf(2);
    const owner = buyer(0);
    const before = await balanceOf(town.test, owner);
    const placed = await order(town.test, owner, { siteId: town.siteId, productId, quantity: 2 });
    const answers = await atOnce(50, () =>
      town.test.api.call(`POST /api/orders/${placed.body.id}/cancel`, { token: owner.token }),
    );
    expect(counted(answers)).toEqual({ 200: 1, 409: 49 });
    await town.test.idle();
    expect(await balanceOf(town.test, owner)).toBe(before);
    const states = await statesOf(town.test, town.people.staff, town.siteId, productId);
    expect(states).toEqual({ available: 2 });
    await town.test.expectPromises();
  });

  test('given an order that is ready, when staff hands it over and cancels it at once, then one of both happens, whole', async () => {
    const { people, siteId, test: server } = town;
    const owner = buyer(1);
    for (let round = 0; round < 10; round += 1) {
      const productId = await onShelf(1);
      const before = await balanceOf(server, owner);
      const placed = await order(server, owner, { siteId, productId });
      const path = `/api/orders/${placed.body.id}`;
      await made(server, `PATCH ${path}`, { token: people.staff.token, body: { status: 'ready' } });
      const answers = await Promise.all([
        ...Array.from({ length: 5 }, () =>
          server.api.call(`PATCH ${path}`, { token: people.staff.token, body: { status: 'delivered' } }),
        ),
        ...Array.from({ length: 5 }, () => server.api.call(`POST ${path}/cancel`, { token: people.staff.token })),
      ]);
      expect(counted(answers)).toEqual({ 200: 1, 409: 9 });
      await server.idle();
      const { status } = await orderOf(server, owner, placed.body.id);
      const states = await statesOf(server, people.staff, siteId, productId);
      const paid = before - (await balanceOf(server, owner));
      expect([status, states, paid]).toEqual(
        status === 'delivered' ? ['delivered', { sold: 1 }, PRICE] : ['cancelled', { available: 1 }, 0],
      );
    }
    await server.expectPromises();
  });

  test('given goods on the shelf, when buyers, sweeps and waste want them at once, then each unit ends in one way', {
    timeout: 60_000,
  }, async () => {
    const { people, siteId, test: server } = town;
    const productId = await onShelf(40);
    const line = `GET /api/inventory/units?siteId=${siteId}&productId=${productId}&limit=200`;
    const { items } = await made<{ items: { id: string }[] }>(server, line, { token: people.staff.token });
    const answers = await Promise.all([
      ...Array.from({ length: 40 }, (_item, index) => order(server, buyer(index), { siteId, productId })),
      ...items.map(({ id }) => {
        const body = { unitIds: [id], reason: 'damaged' };
        return server.api.call('POST /api/inventory/waste', { token: people.staff.token, body });
      }),
      ...Array.from({ length: 5 }, () => {
        const body = { siteId, kind: 'stale' };
        return server.api.call('POST /api/inventory/sweeps', { token: people.manager.token, body });
      }),
    ]);
    expect(answers.filter(({ status }) => ![200, 201, 409].includes(status))).toEqual([]);
    await server.idle();
    const sold = answers.slice(0, 40).filter(({ status }) => status === 201).length;
    const wasted = answers.slice(40, 80).filter(({ status }) => status === 200).length;
    const states = await statesOf(server, people.staff, siteId, productId);
    expect([states['allocated'] ?? 0, states['discarded'] ?? 0]).toEqual([sold, wasted]);
    expect(await menuItem(server, siteId, productId)).toMatchObject({ available: 40 - sold - wasted });
    await server.expectPromises();
  });

  test('given one account, when a hundred deposits and orders come at once, then no cent is lost', {
    timeout: 60_000,
  }, async () => {
    const productId = await onShelf(50);
    const owner = buyer(2);
    const before = await balanceOf(town.test, owner);
    const answers = await atOnce(100, (index) => {
      if (index % 2 === 0) return order(town.test, owner, { siteId: town.siteId, productId });
      const body = { accountId: owner.id, amount: euro(7) };
      return town.call('manager', 'POST /api/bank/deposits', { body });
    });
    expect(counted(answers)).toEqual({ 201: 100 });
    expect(await balanceOf(town.test, owner)).toBe(before + 50 * 7 - 50 * PRICE);
    await town.test.expectPromises();
  });

  test('given the largest order there may be, when it is placed and cancelled, then all goes and all comes back', async () => {
    const productId = await onShelf(10_000);
    const owner = buyer(3);
    await payIn(town.test, town.people.manager, owner.id, 4_000 * PRICE);
    const before = await balanceOf(town.test, owner);
    const placed = await order(town.test, owner, { siteId: town.siteId, productId, quantity: 4_000 });
    expect([placed.status, placed.text.slice(0, 200)]).toEqual([201, expect.any(String)]);
    const tooMany = await order(town.test, owner, { siteId: town.siteId, productId, quantity: 10_000 });
    expect(tooMany.body).toMatchObject({ shortages: [{ productId, wanted: 10_000, available: 6_000 }] });
    const path = `POST /api/orders/${placed.body.id}/cancel`;
    await made(town.test, path, { token: owner.token });
    await town.test.idle();
    expect(await balanceOf(town.test, owner)).toBe(before);
    expect(await menuItem(town.test, town.siteId, productId)).toMatchObject({ available: 10_000 });
    await town.test.expectPromises();
  });

  test('given one address, when fifty register with it at once, then one does', { timeout: 60_000 }, async () => {
    const body = { email: 'wanted@test.example', password: 'a pass phrase of some length', name: 'W' };
    const answers = await atOnce(50, () => town.test.api.call('POST /api/users', { body }));
    expect(counted(answers)).toEqual({ 201: 1, 409: 49 });
  });

  test('given one sku, when fifty products want it at once, then one has it', async () => {
    const body = { sku: 'WANTED', name: 'W', category: 'W', price: euro(1), stock: 'made-to-order' };
    const answers = await atOnce(50, () => town.call('manager', 'POST /api/products', { body }));
    expect(counted(answers)).toEqual({ 201: 1, 409: 49 });
  });

  test('given two managers, when both take the other role away at once, then one manager stays', async () => {
    const [first, second] = await addPersons(town.test, [
      ['first@test.example', ['manager']],
      ['second@test.example', ['manager']],
    ]);
    if (first === undefined || second === undefined) throw new Error('No managers');
    const demote = (by: Person, whom: Person) => {
      return town.test.api.call(`PUT /api/users/${whom.id}/roles`, { token: by.token, body: { roles: ['customer'] } });
    };
    await demote(first, town.people.manager);
    const answers = await Promise.all([demote(first, second), demote(second, first)]);
    const statuses = answers.map(({ status }) => status).toSorted((left, right) => left - right);
    // Who comes second is the last manager's demoter (409), or by then no manager any more (403).
    expect(statuses[0]).toBe(200);
    expect([403, 409]).toContain(statuses[1]);
    await town.test.expectPromises();
  });
});
