import { MINUTE, plus } from '@provender/kernel';
import { openStandInSource, type StandInSource } from '@provender/platform';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import { addPeople, defineProduct, made, menuItem, openSite, order, type People } from '../support/town.ts';

const WAREHOUSES = '/warehouses';
const FEED = '/orders';
const ITEMS = 20;
const ORDERS = 1_000;
/** Waits as a loaded machine needs. */
const PATIENT = { timeout: 60_000, interval: 50 };

type Stock = {
  items: { sku: string; quantity: number; allocated: number; available: number; missingSince?: string }[];
  staleSince?: string;
};
type Run = { id: string; total: number; processed: number; failed: number; waiting: number };
type PartnerOrder = {
  id: string;
  number: string;
  status: 'NEW' | 'PROCESSED' | 'FAILED';
  items: { sku: string; quantity: number }[];
  reason?: string;
  allocations?: { warehouseId: string; sku: string; quantity: number }[];
};

const sku = (nth: number) => `ITEM-${nth % ITEMS}`;

/** Five warehouses with a hundred of each of twenty items. */
function fiveWarehouses(quantity = 100) {
  return {
    warehouses: Array.from({ length: 5 }, (_, place) => ({
      id: `w${place + 1}`,
      name: `Warehouse ${place + 1}`,
      items: Array.from({ length: ITEMS }, (_item, nth) => ({ sku: sku(nth), name: sku(nth), quantity })),
    })),
  };
}

/** A thousand orders that want more than there is: one to three pieces of two items each. */
function thousandOrders() {
  return {
    orders: Array.from({ length: ORDERS }, (_, nth) => ({
      number: `${nth + 1}`,
      items: [
        { sku: sku(nth), quantity: 1 + (nth % 3) * 60 },
        { sku: sku(nth + 7), quantity: 2 },
      ],
    })),
  };
}

describeInBothShapes('warehouses and partner orders', (startTown) => {
  let source: StandInSource;
  let town: RunningTown;
  let people: People;

  beforeAll(async () => {
    source = await openStandInSource({ [WAREHOUSES]: fiveWarehouses(), [FEED]: thousandOrders() });
    town = await startTown({
      env: { WAREHOUSE_URL: source.url(WAREHOUSES), PARTNER_ORDERS_URL: source.url(FEED), LOG_LEVEL: 'silent' },
    });
    people = await addPeople(town);
  });
  afterAll(async () => {
    await town.close();
    await source.close();
  });

  const manager = <Body = Record<string, unknown>>(line: string, body?: object) =>
    made<Body>(town, line, { token: people.manager.token, ...(body === undefined ? {} : { body }) });

  const stockOf = (warehouse: string) =>
    made<Stock>(town, `GET /api/warehouses/${warehouse}/stock?limit=200`, { token: people.staff.token });

  /** What is allocated of each item, over all warehouses. */
  async function allocated(): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    for (const { id } of fiveWarehouses().warehouses) {
      for (const item of (await stockOf(id)).items) {
        expect(item.allocated).toBeLessThanOrEqual(item.quantity);
        sums.set(item.sku, (sums.get(item.sku) ?? 0) + item.allocated);
      }
    }
    return sums;
  }

  async function partnerOrders(): Promise<PartnerOrder[]> {
    const all: PartnerOrder[] = [];
    for (let cursor = ''; ; ) {
      const line = `GET /api/partner-orders?limit=200${cursor}`;
      const page = await made<{ items: PartnerOrder[]; nextCursor?: string }>(town, line, {
        token: people.staff.token,
      });
      all.push(...page.items);
      if (page.nextCursor === undefined) return all.reverse();
      cursor = `&cursor=${page.nextCursor}`;
    }
  }

  /** How many pieces of each item these orders want together. */
  function wantedBy(orders: readonly PartnerOrder[]): Map<string, number> {
    const wanted = new Map(Array.from({ length: ITEMS }, (_, nth) => [sku(nth), 0]));
    for (const { items } of orders) {
      for (const item of items) wanted.set(item.sku, (wanted.get(item.sku) ?? 0) + item.quantity);
    }
    return wanted;
  }

  test('given a source that is down from the first, when it is mirrored, then reads answer that there is nothing yet', async () => {
    source.behave(WAREHOUSES, { kind: 'status', status: 500 });
    const down = await town.api.call('POST /api/warehouses/sync', { token: people.manager.token });
    expect([down.status, down.headers['retry-after']]).toEqual([503, '10']);
    const { staleSince, items } = await manager<Stock>('GET /api/warehouses');
    expect([items, staleSince !== undefined]).toEqual([[], true]);
    source.behave(WAREHOUSES, { kind: 'well' });
    const synced = await manager('POST /api/warehouses/sync');
    expect(synced).toMatchObject({ warehouses: 5, items: 100, changed: 100 });
  });

  test('given 1,000 partner orders over 5 warehouses, when two people process all at once, then each is processed once, with exactly the stock that is there', async () => {
    expect(await manager('POST /api/partner-orders/import')).toMatchObject({ imported: ORDERS, broken: 0 });
    const runs = await Promise.all([
      manager<Run>('POST /api/partner-orders/process-all'),
      manager<Run>('POST /api/partner-orders/process-all'),
    ]);
    for (const { id } of runs) {
      await expect
        .poll(async () => (await manager<Run>(`GET /api/partner-orders/runs/${id}`)).waiting, PATIENT)
        .toBe(0);
    }
    const ended = await Promise.all(runs.map(({ id }) => manager<Run>(`GET /api/partner-orders/runs/${id}`)));
    expect(ended.reduce((sum, { total }) => sum + total, 0)).toBe(ORDERS);

    const orders = await partnerOrders();
    const processed = orders.filter(({ status }) => status === 'PROCESSED');
    const failed = orders.filter(({ status }) => status === 'FAILED');
    expect(processed.length + failed.length).toBe(ORDERS);
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['insufficient-stock']));
    const given = await allocated();
    expect(given).toEqual(wantedBy(processed));
    // Stock only went down, so whoever got nothing would get nothing now either: none was refused without need.
    const isShort = (item: { sku: string; quantity: number }) => 500 - (given.get(item.sku) ?? 0) < item.quantity;
    expect(failed.filter(({ items }) => !items.some(isShort))).toEqual([]);
    await town.expectPromises();
  });

  test('given what is allocated, when the source sends its stock again or lies, then nothing of it comes back', async () => {
    const before = await allocated();
    source.behave(WAREHOUSES, {
      kind: 'says',
      text: '{"warehouses":[{"id":"w1","name":"North","items":[{"sku":"X"}]}]}',
    });
    await town.advanceTo(plus(town.clock.now(), 5 * MINUTE));
    await expect.poll(async () => (await stockOf('w1')).staleSince, PATIENT).toBeDefined();
    expect(await allocated()).toEqual(before);
    source.behave(WAREHOUSES, { kind: 'well' });
    source.put(WAREHOUSES, fiveWarehouses(101));
    await town.advanceTo(plus(town.clock.now(), 5 * MINUTE));
    await expect.poll(async () => (await stockOf('w1')).staleSince, PATIENT).toBeUndefined();
    expect((await stockOf('w1')).items.every(({ quantity }) => quantity === 101)).toBe(true);
    expect(await allocated()).toEqual(before);
  });

  test('given a reset, when all are new again, then their stock is free, and the partner was never written to', async () => {
    expect(await manager('POST /api/partner-orders/reset')).toEqual({ reset: ORDERS });
    await expect.poll(async () => [...(await allocated()).values()].every((sum) => sum === 0), PATIENT).toBe(true);
    expect((await partnerOrders()).every(({ status }) => status === 'NEW')).toBe(true);
    await town.expectPromises();
  });

  test('given one order, when twenty process it at once, then all hear the same and its stock is taken once', async () => {
    const [first] = await partnerOrders();
    const line = `POST /api/partner-orders/${first?.id}/process`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => manager<PartnerOrder>(line)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ number: '1', status: 'PROCESSED' });
    const sum = [...(await allocated()).values()].reduce((total, each) => total + each, 0);
    expect(sum).toBe(first?.items.reduce((total, { quantity }) => total + quantity, 0));
  });

  test('given goods in a warehouse, when staff brings some to a shop, then customers can buy them there', async () => {
    const siteId = await openSite(town, people.manager, { opensAt: '00:00', closesAt: '24:00' });
    const productId = await defineProduct(town, people.manager, { sku: 'ITEM-5', name: 'Nut bar', shelfLife: 'P90D' });
    await town.idle();
    const { available } = (await stockOf('w2')).items.find((item) => item.sku === 'ITEM-5') ?? { available: 0 };
    const body = { siteId, productId, quantity: 3 };
    const moved = await made<{ quantity: number }>(town, 'POST /api/warehouses/w2/transfers', {
      token: people.staff.token,
      body,
    });
    expect(moved).toMatchObject({ warehouseId: 'w2', sku: 'ITEM-5', quantity: 3 });
    await expect.poll(async () => (await menuItem(town, siteId, productId))?.available, PATIENT).toBe(3);
    const bought = await order(town, people.customer, { siteId, productId, quantity: 4 });
    expect(bought.body).toMatchObject({ type: '/problems/insufficient-stock' });
    expect((await stockOf('w2')).items.find((item) => item.sku === 'ITEM-5')?.available).toBe(available - 3);
    await town.expectPromises();
  });
});
