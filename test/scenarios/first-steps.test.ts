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
  payIn,
  type People,
} from '../support/town.ts';

let shop: RunningTown;
let people: People;

describeInBothShapes('first steps', (startTown) => {
  beforeAll(async () => {
    shop = await startTown();
    people = await addPeople(shop);
  });

  afterAll(() => shop.close());

  test('given nobody, when she registers, then she signs in, has an account and may be paid to at once', async () => {
    const person = { email: 'newcomer@test.example', password: 'an honest pass phrase', name: 'Nora' };
    const registered = await shop.api.call<{ id: string; roles: string[] }>('POST /api/users', { body: person });
    expect([registered.status, registered.body.roles]).toEqual([201, ['customer']]);
    await payIn(shop, people.manager, registered.body.id, 700);
    const token = await shop.api.signIn(person.email, person.password);
    expect(await balanceOf(shop, { id: registered.body.id, token })).toBe(700);
    const again = await shop.api.call('POST /api/users', { body: { ...person, email: 'NEWCOMER@test.example' } });
    expect([again.status, again.body]).toMatchObject([409, { type: '/problems/email-taken' }]);
  });

  test('given a new site and a new product, when they are made, then the next request bakes, sees and buys it', async () => {
    const { manager, staff, customer } = people;
    await payIn(shop, manager, customer.id, 5_000);
    for (let round = 0; round < 5; round += 1) {
      const siteId = await openSite(shop, manager);
      const productId = await defineProduct(shop, manager);
      await bake(shop, staff, { siteId, productId, quantity: 1 });
      expect(await menuItem(shop, siteId, productId)).toMatchObject({ available: 1 });
      expect((await order(shop, customer, { siteId, productId })).status).toBe(201);
    }
    await shop.expectPromises();
  });

  test('given a price that changes, when the next order comes, then it pays the new one and former orders keep theirs', async () => {
    const { manager, staff, customer } = people;
    const siteId = await openSite(shop, manager);
    const productId = await defineProduct(shop, manager, { price: euro(100) });
    await bake(shop, staff, { siteId, productId, quantity: 2 });
    const before = await order(shop, customer, { siteId, productId });
    await made(shop, `PATCH /api/products/${productId}`, { token: manager.token, body: { price: euro(125) } });
    const after = await order(shop, customer, { siteId, productId });
    expect([before.body.total.amount, after.body.total.amount]).toEqual([100, 125]);
    const seen = await made<{ total: { amount: number } }>(shop, `GET /api/orders/${before.body.id}`, {
      token: customer.token,
    });
    expect(seen.total.amount).toBe(100);
    await shop.expectPromises();
  });

  test('given somebody in a hurry, when she prefers not to wait, then 202 says where the outcome will be', async () => {
    const { manager, staff, customer } = people;
    const siteId = await openSite(shop, manager);
    const productId = await defineProduct(shop, manager, { price: euro(100) });
    await bake(shop, staff, { siteId, productId, quantity: 1 });
    const options = { headers: { prefer: 'respond-async' }, key: 'in a hurry' };
    const accepted = await order(shop, customer, { siteId, productId }, options);
    expect(accepted.status).toBe(202);
    const location = accepted.headers.location ?? '';
    expect(location).toBe(`/api/orders/${accepted.body.id}`);
    await shop.idle();
    expect(await made(shop, `GET ${location}`, { token: customer.token })).toMatchObject({ status: 'waiting' });
    // A 202 is never the stored answer: the repeat waits and tells the outcome.
    const repeated = await order(shop, customer, { siteId, productId }, { key: 'in a hurry' });
    expect([repeated.status, repeated.body.id]).toEqual([201, accepted.body.id]);
    expect(repeated.headers['idempotency-replayed']).toBe('true');
    await shop.expectPromises();
  });

  test('given a shelf that runs out, when a purchase does not wait for its outcome, then the refusal is at its address', async () => {
    const { manager, customer } = people;
    const siteId = await openSite(shop, manager);
    const productId = await defineProduct(shop, manager, { price: euro(100) });
    const accepted = await order(shop, customer, { siteId, productId }, { headers: { prefer: 'respond-async' } });
    expect(accepted.status).toBe(202);
    await shop.idle();
    const seen = await made(shop, `GET /api/orders/${accepted.body.id}`, { token: customer.token });
    expect(seen).toMatchObject({ status: 'rejected', reason: 'insufficient-stock' });
    await shop.expectPromises();
  });
});
