import { afterAll, beforeAll, expect, test } from 'vitest';
import { addPeople, bake, defineProduct, euro, made, openSite, order, payIn, type People } from '../support/town.ts';
import { describeOverBoth, type Replica, type Replicas, startReplicas } from './replicas.ts';

// Whoever took the request, somebody else may decide it: the outcome reaches it without anybody looking for it.

const ROUNDS = 6;
const AT_ONCE = 20;
const UNITS = 200;
/** The slow look comes after half a second at the earliest, and passes over orders that have only just come. */
const SLOW_LOOK_MILLISECONDS = 500;

describeOverBoth('two replicas', (carrier) => {
  let replicas: Replicas;
  let people: People;
  let siteId: string;
  let bread: string;

  beforeAll(async () => {
    replicas = await startReplicas({ carrier });
    const [first] = replicas.all as [Replica];
    people = await addPeople(first);
    siteId = await openSite(first, people.manager);
    bread = await defineProduct(first, people.manager);
    await payIn(first, people.manager, people.customer.id, 1_000_000);
    await bake(first, people.staff, { siteId, productId: bread, quantity: UNITS });
    await replicas.idle();
  }, 60_000);
  afterAll(() => replicas.close());

  test('given an order at each, when it is decided by whichever, then the answer comes without the slow look', async () => {
    for (const replica of replicas.all) {
      const milliseconds: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const began = performance.now();
        const placed = await order(replica, people.customer, { siteId, productId: bread });
        milliseconds.push(performance.now() - began);
        expect(placed.status).toBe(201);
      }
      expect(Math.min(...milliseconds)).toBeLessThan(SLOW_LOOK_MILLISECONDS);
    }
  });

  test('given an order that is refused, when the other decides it, then its buyer hears why', async () => {
    for (const replica of replicas.all) {
      const began = performance.now();
      const refused = await order(replica, people.neighbour, { siteId, productId: bread });
      expect([refused.status, refused.body]).toMatchObject([402, { type: '/problems/payment-declined' }]);
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });

  test('given many orders at both at once, then each has its answer, and the books agree', async () => {
    const answers = await Promise.all(
      Array.from({ length: 2 * AT_ONCE }, (_each, index) =>
        order(replicas.all[index % 2] as Replica, people.customer, { siteId, productId: bread }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(answers.length);
    await replicas.all[0]?.expectPromises();
  });

  test('given one key at both at once, then it is one order and one deposit', async () => {
    const token = people.customer.token;
    const body = { siteId, lines: [{ productId: bread, quantity: 1 }] };
    const key = `one of both over ${carrier}`;
    const orders = await Promise.all(
      Array.from({ length: 10 }, (_each, index) => {
        return (replicas.all[index % 2] as Replica).api.call('POST /api/orders', { token, body, key });
      }),
    );
    expect(new Set(orders.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(orders.map(({ text }) => text)).size).toBe(1);
    const [first, second] = replicas.all as [Replica, Replica];
    const deposit = { accountId: people.customer.id, amount: euro(700) };
    const deposits = await Promise.all(
      [first, second, first, second].map(({ api }) =>
        api.call('POST /api/bank/deposits', { token: people.manager.token, body: deposit, key }),
      ),
    );
    const paid = deposits.filter(({ status }) => status === 201);
    expect(new Set(paid.map(({ text }) => text)).size).toBe(1);
    expect(deposits.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    await replicas.idle();
    type Entries = { items: { kind: string; amount: { amount: number } }[] };
    const { items } = await made<Entries>(second, 'GET /api/bank/accounts/me/entries', { token });
    expect(items.filter(({ amount }) => amount.amount === 700)).toHaveLength(1);
  });
});
