import { type Verification, verifyPromises } from '@provender/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { addPeople, bake, defineProduct, openSite, order, payIn, type People } from '../support/town.ts';

// A check that fires now and then while all is well would soon be believed no more.

const BUYERS = 24;
const ROUNDS = 12;
const VERIFICATIONS_MIN = 3;

let shop: TestServer;
let people: People;
let siteId: string;
let bread: string;
let coffee: string;

beforeAll(async () => {
  shop = await startTestServer();
  people = await addPeople(shop);
  siteId = await openSite(shop, people.manager);
  bread = await defineProduct(shop, people.manager);
  const draft = {
    name: 'Coffee',
    sku: 'COFFEE',
    category: 'Drinks',
    stock: 'made-to-order',
    closingDiscountPercent: 0,
  };
  const body = { ...draft, price: { amount: 300, currency: 'EUR' } };
  coffee = (await shop.api.call<{ id: string }>('POST /api/products', { token: people.manager.token, body })).body.id;
  await bake(shop, people.staff, { siteId, productId: bread, quantity: 60 });
  // Not enough for all, so that some are declined.
  await payIn(shop, people.manager, people.customer.id, 34_000);
});
afterAll(() => shop.close());

/** One buyer's round: bread or coffee, sometimes cancelled, sometimes handed over. */
async function buy(round: number, buyer: number): Promise<number> {
  const productId = buyer % 4 === 0 ? coffee : bread;
  const { status, body } = await order(shop, people.customer, { siteId, productId, quantity: 1 + (round % 2) });
  const { token } = people.staff;
  if (status === 201 && buyer % 3 === 0) await shop.api.call(`POST /api/orders/${body.id}/cancel`, { token });
  if (status === 201 && buyer % 3 === 1) {
    await shop.api.call(`PATCH /api/orders/${body.id}`, { token, body: { status: 'ready' } });
    await shop.api.call(`PATCH /api/orders/${body.id}`, { token, body: { status: 'delivered' } });
  }
  return status;
}

describe('the checks on a shop at work', () => {
  test('given many buyers at once, when verified all the while, then nothing fires, nor afterwards', async () => {
    const statuses = new Set<number>();
    let isBusy = true;
    const verifications: Verification[] = [];
    const watching = (async () => {
      while (isBusy || verifications.length < VERIFICATIONS_MIN) {
        verifications.push(await verifyPromises({ databases: shop.database.url, clock: shop.clock, connections: 2 }));
      }
    })();
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await Promise.all(Array.from({ length: BUYERS }, (_, buyer) => buy(round, buyer)));
      for (const status of answers) statuses.add(status);
    }
    isBusy = false;
    await watching;

    expect(statuses).toEqual(new Set([201, 402, 409]));
    expect(verifications.flatMap(({ checks }) => checks.filter(({ ok }) => !ok))).toEqual([]);
    await shop.expectPromises();
  });
});
