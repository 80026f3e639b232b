import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import {
  addPeople,
  balanceOf,
  defineProduct,
  euro,
  made,
  openSite,
  orderOf,
  type People,
  payIn,
} from '../support/town.ts';

/** Waits as a loaded machine needs. */
const PATIENT = { timeout: 60_000, interval: 20 };

/** The table of the design, written down once more: `p` preparation, `w` waiting, `r` ready, `d` delivered. */
const TABLE = {
  waiting: { staffMaySet: ['preparation', 'ready'], customerMayCancel: true, staffMayCancel: true },
  preparation: { staffMaySet: ['waiting', 'ready'], customerMayCancel: true, staffMayCancel: true },
  ready: { staffMaySet: ['preparation', 'delivered'], customerMayCancel: false, staffMayCancel: true },
  delivered: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
  cancelled: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
  rejected: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
} as const;
type Reached = keyof typeof TABLE;

const STATUSES = ['placed', 'waiting', 'preparation', 'ready', 'delivered', 'cancelled', 'rejected'] as const;
const PATHS: Readonly<Record<Reached, readonly string[]>> = {
  waiting: [],
  preparation: ['preparation'],
  ready: ['ready'],
  delivered: ['ready', 'delivered'],
  cancelled: ['cancel'],
  rejected: [],
};

type Variation = { id: string; name: string; priceDelta: { amount: number } };
type Latte = { id: string; name: string; variations: Variation[] };
type Line = { name: string; variationName?: string; unitPrice: { amount: number }; total: { amount: number } };
type Ordered = { id: string; status: string; lines: Line[]; total: { amount: number } };
type Menu = { items: { productId: string; name: string; price: { amount: number }; variations: Variation[] }[] };

describeInBothShapes('a café', (startTown) => {
  let town: RunningTown;
  let people: People;
  let siteId: string;
  let tea: string;
  let gold: string;

  beforeAll(async () => {
    town = await startTown();
    people = await addPeople(town);
    siteId = await openSite(town, people.manager, { opensAt: '00:00', closesAt: '24:00' });
    tea = await defineProduct(town, people.manager, { name: 'Tea', stock: 'made-to-order', price: euro(240) });
    gold = await defineProduct(town, people.manager, {
      name: 'Gold leaf',
      stock: 'made-to-order',
      price: euro(20_000_000),
    });
    await payIn(town, people.manager, people.customer.id, 10_000_000);
    await town.idle();
  });
  afterAll(() => town.close());

  const latte = (sku: string) => {
    const variations = [
      { name: 'Small', priceDelta: euro(-40) },
      { name: 'Large, oat milk', priceDelta: euro(110) },
    ];
    const draft = { sku, name: 'Caffè latte', category: 'Hot drinks', price: euro(360), stock: 'made-to-order' };
    return made<Latte>(town, 'POST /api/products', { token: people.manager.token, body: { ...draft, variations } });
  };

  async function order(lines: readonly object[]) {
    const body = { siteId, lines };
    return town.api.call<Ordered>('POST /api/orders', { token: people.customer.token, body });
  }

  async function teaOrder(): Promise<string> {
    const { status, body } = await order([{ productId: tea, quantity: 1 }]);
    expect(status).toBe(201);
    return body.id;
  }

  /** One that the customer's account does not cover. */
  async function rejectedOrder(): Promise<string> {
    const body = { siteId, lines: [{ productId: gold, quantity: 1 }] };
    const refused = await town.api.call<{ orderId: string }>('POST /api/orders', {
      token: people.customer.token,
      body,
    });
    expect(refused.status).toBe(402);
    return refused.body.orderId;
  }

  const menu = async () => (await made<Menu>(town, `GET /api/menu?siteId=${siteId}`, {})).items;

  /** Takes an order to where it is to be tried. */
  async function orderIn(status: Reached): Promise<string> {
    const id = status === 'rejected' ? await rejectedOrder() : await teaOrder();
    for (const step of PATHS[status]) {
      const [line, body] =
        step === 'cancel' ? [`POST /api/orders/${id}/cancel`, {}] : [`PATCH /api/orders/${id}`, { status: step }];
      await made(town, line, { token: people.staff.token, body });
    }
    return id;
  }

  test('given a drink in sizes and milks, when names and prices change and it goes, then orders keep what they were placed with', async () => {
    const drink = await latte('LATTE-1');
    const [small, oat] = drink.variations;
    await town.idle();
    const lines = [
      { productId: drink.id, variationId: oat?.id, quantity: 2 },
      { productId: drink.id, variationId: small?.id, quantity: 1 },
      { productId: drink.id, quantity: 1 },
      { productId: tea, quantity: 1 },
    ];
    const placed = await order(lines);
    expect([placed.status, placed.body.total]).toEqual([201, euro(2 * 470 + 320 + 360 + 240)]);
    expect(
      placed.body.lines.map(({ name, variationName, unitPrice }) => [name, variationName, unitPrice.amount]),
    ).toEqual([
      ['Caffè latte', 'Large, oat milk', 470],
      ['Caffè latte', 'Small', 320],
      ['Caffè latte', undefined, 360],
      ['Tea', undefined, 240],
    ]);
    const { token } = people.manager;
    const variationOf = (id: string | undefined) => `/api/products/${drink.id}/variations/${id}`;
    await made(town, `PATCH ${variationOf(oat?.id)}`, { token, body: { name: 'XL, soy', priceDelta: euro(150) } });
    await made(town, `DELETE ${variationOf(small?.id)}`, { token });
    await made(town, `PATCH /api/products/${drink.id}`, { token, body: { name: 'Latte', price: euro(400) } });
    await town.idle();
    expect((await menu()).find(({ productId }) => productId === drink.id)).toMatchObject({
      name: 'Latte',
      price: { amount: 400 },
      variations: [{ id: oat?.id, name: 'XL, soy', price: { amount: 550 } }],
    });
    const gone = await order([{ productId: drink.id, variationId: small?.id, quantity: 1 }]);
    expect([gone.status, gone.body]).toMatchObject([409, { type: '/problems/product-unavailable' }]);
    await made(town, `DELETE /api/products/${drink.id}`, { token });
    await town.idle();
    expect((await menu()).some(({ productId }) => productId === drink.id)).toBe(false);
    expect((await order([{ productId: drink.id, variationId: oat?.id, quantity: 1 }])).status).toBe(409);
    const kept = await made<Ordered>(town, `GET /api/orders/${placed.body.id}`, { token: people.customer.token });
    expect([kept.lines, kept.total]).toEqual([placed.body.lines, placed.body.total]);
    await made(town, `POST /api/orders/${kept.id}/cancel`, { token: people.customer.token });
    await town.expectPromises();
  });

  test('given a variation of another product, when it is ordered, then there is no such thing', async () => {
    const [one, other] = [await latte('LATTE-2'), await latte('LATTE-3')];
    await town.idle();
    const line = { productId: one.id, variationId: other.variations[0]?.id, quantity: 1 };
    expect((await order([line])).body).toMatchObject({ type: '/problems/product-unavailable', productId: one.id });
    expect((await order([{ productId: tea, variationId: one.variations[0]?.id, quantity: 1 }])).status).toBe(409);
  });

  test('given a price that changes, when the menu is read within a second, then it is there; who has it is told so', async () => {
    const before = await town.api.call(`GET /api/menu?siteId=${siteId}`);
    const tag = { 'if-none-match': String(before.headers['etag']) };
    expect((await town.api.call(`GET /api/menu?siteId=${siteId}`, { headers: tag })).status).toBe(304);
    const { token } = people.manager;
    await made(town, `PATCH /api/products/${tea}`, { token, body: { price: euro(250) } });
    await expect
      .poll(async () => (await menu()).find(({ productId }) => productId === tea)?.price.amount, {
        timeout: 1_000,
        interval: 20,
      })
      .toBe(250);
    expect((await town.api.call(`GET /api/menu?siteId=${siteId}`, { headers: tag })).status).toBe(200);
  });

  test('given every status and every role, when each sets every other or cancels, then the table of the design decides', {
    timeout: 120_000,
  }, async () => {
    const outcomes: string[] = [];
    const wanted: string[] = [];
    for (const from of Object.keys(TABLE) as Reached[]) {
      const rules = TABLE[from];
      const allowed: readonly string[] = rules.staffMaySet;
      for (const role of ['staff', 'manager', 'customer', 'neighbour'] as const) {
        const worksHere = role === 'staff' || role === 'manager';
        let id = await orderIn(from);
        const patch = async (status: string) =>
          (await town.api.call(`PATCH /api/orders/${id}`, { token: people[role].token, body: { status } })).status;
        for (const to of STATUSES) {
          outcomes.push(`${role} ${from} → ${to}: ${await patch(to)}`);
          const isAllowed = allowed.includes(to);
          wanted.push(`${role} ${from} → ${to}: ${worksHere ? (isAllowed ? 200 : 409) : 403}`);
          if (worksHere && isAllowed) id = await orderIn(from);
        }
        const { status } = await town.api.call(`POST /api/orders/${id}/cancel`, { token: people[role].token });
        outcomes.push(`${role} ${from} cancels: ${status}`);
        const mayCancel = worksHere ? rules.staffMayCancel : rules.customerMayCancel;
        wanted.push(`${role} ${from} cancels: ${role === 'neighbour' ? 404 : mayCancel ? 200 : 409}`);
      }
    }
    expect(outcomes).toEqual(wanted);
    await town.expectPromises();
  });

  test('given one order, when fifty cancel it and move it at once, then each hears what came of it, and it is refunded once if at all', async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = await balanceOf(town, people.customer);
      const id = await teaOrder();
      const acts = Array.from({ length: 50 }, (_, nth) => {
        const { token } = nth % 5 === 0 ? people.customer : people.staff;
        if (nth % 5 < 2) return town.api.call(`POST /api/orders/${id}/cancel`, { token });
        const status = ['preparation', 'ready', 'delivered'][nth % 3];
        return town.api.call<{ type: string }>(`PATCH /api/orders/${id}`, {
          token: people.staff.token,
          body: { status },
        });
      });
      const answers = await Promise.all(acts);
      for (const { status, body } of answers) {
        expect([200, 409]).toContain(status);
        if (status === 409) expect(body).toMatchObject({ type: '/problems/illegal-transition' });
      }
      const ended = await orderOf(town, people.staff, id);
      const steps = ended.history.map(({ status }) => status);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(steps.length - 2);
      for (const [nth, status] of steps.entries()) {
        if (nth < 2 || status === 'cancelled') continue;
        const from = TABLE[steps[nth - 1] as Reached];
        expect(from.staffMaySet as readonly string[]).toContain(status);
      }
      expect(steps.filter((status) => status === 'cancelled').length).toBeLessThanOrEqual(1);
      const paid = ended.status === 'cancelled' ? 0 : 250;
      await expect.poll(() => balanceOf(town, people.customer), PATIENT).toBe(before - paid);
    }
    await town.expectPromises();
  });
});
