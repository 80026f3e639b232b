import { MINUTE, plus } from '@provender/kernel';
import { vi } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import {
  addPeople,
  bake,
  defineProduct,
  euro,
  made,
  moveTo,
  openSite,
  order,
  type OrderSeen,
  type People,
  payIn,
  signInAgain,
} from '../support/town.ts';

/** A shop after a day and half a morning, in which everything has happened that can happen to a unit or an order. */
export type BusyShop = { readonly shop: TestServer; readonly people: People; readonly siteId: string };

type Goods = { readonly bread: string; readonly donut: string; readonly bottle: string; readonly coffee: string };
type Day = { readonly shop: TestServer; readonly people: People; readonly siteId: string; readonly goods: Goods };

const NEXT_MORNING = '2026-11-22T07:00:00.000Z';

/**
 * Builds it through the API alone, then stops the bank: so the last order stands where a live one stands for a moment,
 * placed and held, and can be looked at.
 */
export async function buildBusyShop(): Promise<BusyShop> {
  const shop = await startTestServer();
  const people = await addPeople(shop);
  const { manager } = people;
  const siteId = await openSite(shop, manager);
  const kioskId = await openSite(shop, manager, { name: 'Night Kiosk', opensAt: '00:00', closesAt: '24:00' });
  const goods = {
    bread: await defineProduct(shop, manager),
    donut: await defineProduct(shop, manager, { name: 'Donut', shelfLife: 'PT25M', price: euro(220) }),
    bottle: await defineProduct(shop, manager, { name: 'Bottle', keepsOvernight: true, shelfLife: 'P30D' }),
    coffee: await madeToOrder(shop, people),
  };
  await payIn(shop, manager, people.customer.id, 20_000);
  const body = { siteId, productId: goods.bread, every: 'PT2H', quantity: 4 };
  await made(shop, 'POST /api/production/schedules', { token: manager.token, body });
  const machineId = await registerMachine(shop, manager.token, kioskId, goods.bottle);
  const day = { shop, people, siteId, goods };
  await fillShelf(day);
  await sellAtCounter(day);
  await takeOrders(day);
  await throwOut(day);
  await shop.advanceTo(NEXT_MORNING);
  const morning = { ...day, people: await signInAgain(shop, people) };
  await loseHold(morning);
  const now = { ...morning, people: await signInAgain(shop, people) };
  await fillShelf(now);
  await takeOrders(now);
  await shop.advanceTo(plus(shop.clock.now(), 5 * MINUTE));
  await made(shop, 'POST /api/orchestrator/start-work', { token: now.people.customer.token, body: { machineId } });
  await leaveUndecided(now);
  return { shop, people: now.people, siteId };
}

async function madeToOrder(shop: TestServer, { manager }: People): Promise<string> {
  const draft = { name: 'Coffee', sku: 'COFFEE', category: 'Drinks', stock: 'made-to-order', price: euro(300) };
  const body = { ...draft, unitCost: euro(40), closingDiscountPercent: 0 };
  return (await made(shop, 'POST /api/products', { token: manager.token, body })).id;
}

/** A machine that somebody took, and staff freed again. */
async function registerMachine(shop: TestServer, token: string, siteId: string, productId: string): Promise<string> {
  const body = { name: 'Platform 2', siteId, slots: [{ slot: 'A1', productId, capacity: 8 }] };
  const registered = await made<{ machine: { id: string } }>(shop, 'POST /api/vending-machines/register', {
    ...{ token, body },
  });
  const { id: machineId } = registered.machine;
  await made(shop, 'POST /api/orchestrator/start-work', { token, body: { machineId } });
  await made(shop, `POST /api/vending-machines/${machineId}/reset`, { token });
  return machineId;
}

async function fillShelf({ shop, people, siteId, goods }: Day): Promise<void> {
  await bake(shop, people.staff, { siteId, productId: goods.bread, quantity: 20 });
  await bake(shop, people.staff, { siteId, productId: goods.donut, quantity: 6 });
  const body = { siteId, productId: goods.bottle, quantity: 12 };
  await made(shop, 'POST /api/inventory/receipts', { token: people.staff.token, body });
}

/** Cash, card and somebody's account; handed over at once, or made to order first. */
async function sellAtCounter({ shop, people, siteId, goods }: Day): Promise<void> {
  const { bread, coffee } = goods;
  for (const [productId, tender] of [
    [bread, { kind: 'cash', received: euro(1_000) }],
    [bread, { kind: 'card' }],
    [bread, { kind: 'account', customerId: people.customer.id }],
    [coffee, { kind: 'cash' }],
  ] as const) {
    const body = { siteId, lines: [{ productId, quantity: 1 }], channel: 'counter', tender };
    const sold = await made<OrderSeen>(shop, 'POST /api/orders', { token: people.staff.token, body });
    if (productId !== coffee) continue;
    await moveTo(shop, people.staff, sold.id, 'ready');
    await moveTo(shop, people.staff, sold.id, 'delivered');
  }
}

/** An order in each status that staff, customers and refusals lead to, some with a key. */
async function takeOrders({ shop, people, siteId, goods }: Day): Promise<void> {
  const { customer, neighbour, staff } = people;
  const buy = async (productId: string, key?: string) =>
    (
      await order(
        shop,
        customer,
        { siteId, productId },
        { key: key === undefined ? key : `${key} ${shop.clock.now()}` },
      )
    ).body.id;
  await buy(goods.bread);
  await buy(goods.coffee, 'waiting');
  await buy(goods.bottle, 'waiting too');
  await moveTo(shop, staff, await buy(goods.bread), 'preparation');
  await moveTo(shop, staff, await buy(goods.bread), 'ready');
  const delivered = await buy(goods.donut);
  for (const status of ['preparation', 'waiting', 'ready', 'delivered']) await moveTo(shop, staff, delivered, status);
  const cancelled = await buy(goods.bread);
  await shop.api.call(`POST /api/orders/${cancelled}/cancel`, { token: customer.token, key: 'cancel' });
  await order(shop, customer, { siteId, productId: goods.donut, quantity: 90 });
  await order(shop, neighbour, { siteId, productId: goods.bread });
}

/** By hand, by the sweep, and at closing. */
async function throwOut({ shop, people, siteId, goods }: Day): Promise<void> {
  const line = `GET /api/inventory/units?siteId=${siteId}&productId=${goods.bread}&state=available`;
  const { items } = await made<{ items: { id: string }[] }>(shop, line, { token: people.staff.token });
  const body = { unitIds: items.slice(0, 2).map(({ id }) => id), reason: 'damaged' };
  await made(shop, 'POST /api/inventory/waste', { token: people.staff.token, body });
  await shop.advanceTo('2026-11-21T18:00:00.000Z');
}

/** The bank is away while an order is placed: its hold ends, and the payment comes too late. */
async function loseHold(day: Day): Promise<void> {
  const { shop } = day;
  await fillShelf(day);
  await leaveUndecided(day);
  shop.clock.advanceTo(plus(shop.clock.now(), 3 * MINUTE));
  for (const { timers } of shop.server.system.contexts.values()) await timers.runDue();
  await shop.restart();
  await shop.idle();
}

/** Stops the bank for good, then places an order and waits until its units are held. */
async function leaveUndecided({ shop, people, siteId, goods }: Day): Promise<void> {
  await shop.idle();
  await shop.server.system.contexts.get('bank')?.reactor.stop();
  const options = { headers: { prefer: 'respond-async' } };
  const placed = await order(shop, people.customer, { siteId, productId: goods.bread, quantity: 2 }, options);
  if (placed.status !== 202) throw new Error(`An order was answered ${placed.status}: ${placed.text}`);
  await vi.waitFor(
    async () => {
      // The bank alone has something left to do.
      const { items } = await made<{ items: { consumer: string; lag: number }[] }>(shop, 'GET /api/events/consumers', {
        token: people.manager.token,
      });
      const held = await shop.sql("SELECT FROM inventory.holds WHERE state = 'held'");
      const behind = items.filter(({ consumer, lag }) => lag > 0 && consumer !== 'bank');
      if (held.length === 0 || behind.length > 0) throw new Error(`Not yet: ${JSON.stringify(behind)}`);
    },
    { timeout: 10_000 },
  );
}
