import { plus, SECOND } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { made } from '../support/town.ts';

/** Waits as a loaded machine needs. */
const PATIENT = { timeout: 60_000, interval: 50 };

type Items<Item> = { items: Item[] };

describe('the demo town', () => {
  let town: TestServer;
  let token: string;
  beforeAll(async () => {
    town = await startTestServer({ env: { PROVENDER_DEMO: 'on' } });
    token = await town.api.signIn('manager@example.com', 'test');
    // As in a start whose clock runs: what is due at once is done at once.
    await town.advanceTo(plus(town.clock.now(), SECOND));
  });
  afterAll(() => town.close());

  const get = <Body>(path: string) => made<Body>(town, `GET ${path}`, { token });

  test('given its menu, when it is read, then there are drinks with sizes and milks, and a plain tea', async () => {
    const sites = await get<Items<{ id: string; name: string }>>('/api/sites');
    expect(sites.items.length).toBeGreaterThanOrEqual(2);
    const menu = await get<Items<{ name: string; variations: { name: string }[] }>>(
      `/api/menu?siteId=${sites.items[0]?.id}`,
    );
    const variationsOf = (name: string) =>
      menu.items.find((item) => item.name === name)?.variations.map((variation) => variation.name);
    expect(variationsOf('Caffè latte')).toContain('Large, oat milk');
    expect(variationsOf('Caffè latte')).toHaveLength(9);
    expect(variationsOf('Filled bagel')).toContain('Hummus');
    expect(variationsOf('Tea')).toEqual([]);
  });

  test('given its outside world, when it has started, then two warehouses are mirrored and goods can be brought to a shop', async () => {
    await expect
      .poll(async () => (await get<Items<{ id: string }>>('/api/warehouses')).items.map(({ id }) => id), PATIENT)
      .toEqual(['north', 'south']);
    const { items: products } = await get<Items<{ id: string; sku: string }>>('/api/products?limit=200');
    const { items: sites } = await get<Items<{ id: string }>>('/api/sites');
    const productId = products.find(({ sku }) => sku === 'BAR-NUT')?.id;
    const body = { siteId: sites[0]?.id, productId, quantity: 24 };
    expect(await made(town, 'POST /api/warehouses/north/transfers', { token, body })).toMatchObject({ quantity: 24 });
  });

  test('given its partner orders, when all are processed, then most can be had, and the others say why not', async () => {
    const { items: before } = await get<Items<{ status: string }>>('/api/partner-orders');
    expect(before.map(({ status }) => status)).toEqual(Array(10).fill('NEW'));
    expect(await made(town, 'POST /api/partner-orders/process-all', { token })).toMatchObject({
      total: 10,
      processed: 6,
      failed: 4,
      waiting: 0,
    });
    const { items } = await get<Items<{ number: string; reason?: string }>>('/api/partner-orders?status=FAILED');
    expect(items.map(({ number, reason }) => [number, reason])).toEqual([
      ['1010', 'insufficient-stock'],
      ['1009', 'quantity-not-whole'],
      ['1007', 'unknown-item'],
      ['1005', 'insufficient-stock'],
    ]);
    await town.expectPromises();
  });
});
