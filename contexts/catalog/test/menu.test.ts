import type { MenuItem, MenuView, Said, UnitGroup } from '@provender/contracts';
import { formatInstant, type Instant, instant, MINUTE, plus, SECOND } from '@provender/kernel';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { menuReader } from '../src/use-cases/read-menu.ts';
import { bread, coffee, eur, made, openRange, type Range, shop } from './range.ts';

const manager = { as: 'manager' } as const;
const ORDER = '01900000-0000-7000-8000-00000000000a';

let range: Range;
let siteId: string;
let breadId: string;
let batches = 0;

beforeEach(async () => {
  range = await openRange();
  siteId = await made(range.http, '/api/sites', shop);
  breadId = await made(range.http, '/api/products', bread);
});
afterEach(() => range.close());

function batchId(): string {
  batches += 1;
  return `01900000-0000-7000-8000-${String(batches).padStart(12, '0')}`;
}

function group(quantity: number, batch: string, staleAt: Instant | null, productId = breadId): UnitGroup {
  return { productId, batchId: batch, quantity, staleAt: staleAt === null ? null : formatInstant(staleAt) };
}

function unitsMade(units: UnitGroup, at = siteId): Said {
  const madeAt = formatInstant(range.test.clock.now());
  const data = { ...units, siteId: at, madeAt, unitCost: eur(120), source: 'batch' as const };
  return { type: 'inventory.units-made.v1', key: at, subject: units.batchId, data };
}

function unitsHeld(...units: UnitGroup[]): Said {
  const data = { orderId: ORDER, siteId, units, expiresAt: formatInstant(range.test.clock.now()) };
  return { type: 'inventory.units-held.v1', key: siteId, subject: ORDER, data };
}

function unitsReleased(...units: UnitGroup[]): Said {
  const data = { orderId: ORDER, siteId, units, reason: 'expired' as const };
  return { type: 'inventory.units-released.v1', key: siteId, subject: ORDER, data };
}

function unitsDiscarded(wasOnShelf: boolean, ...units: UnitGroup[]): Said {
  const discarded = units.map((unit) => ({ ...unit, cost: eur(120) }));
  const data = { siteId, units: discarded, reason: 'stale' as const, wasOnShelf };
  return { type: 'inventory.units-discarded.v1', key: siteId, subject: siteId, data };
}

async function menu(at = siteId): Promise<MenuView> {
  return (await range.http.call<MenuView>(`GET /api/menu?siteId=${at}`)).body;
}

async function breadItem(): Promise<MenuItem | undefined> {
  return (await menu()).items.find(({ productId }) => productId === breadId);
}

async function buckets(): Promise<unknown[]> {
  return range.test.sql('SELECT available FROM catalog.menu_stock ORDER BY available');
}

describe('the menu over HTTP', () => {
  test('given a shop, when read, then its whole range is there, nothing of it yet, and made to order always', async () => {
    const coffeeId = await made(range.http, '/api/products', coffee);
    const answer = await menu();
    expect(answer).toMatchObject({ siteId, at: '2026-11-21T08:00:00.000Z', open: true });
    expect(answer.items).toMatchObject([
      { productId: breadId, name: bread.name, category: 'Bread', listPrice: eur(450), price: eur(450), available: 0 },
      { productId: coffeeId, name: 'Coffee', category: 'Drinks', available: null },
    ]);
  });

  test('given units made, held, released and thrown out, when read, then it counts what could be bought', async () => {
    const { test: context } = range;
    const staleAt = plus(context.clock.now(), 600 * MINUTE);
    const one = batchId();
    const other = batchId();
    await context.hear([unitsMade(group(5, one, staleAt)), unitsMade(group(3, other, staleAt))]);
    expect((await breadItem())?.available).toBe(8);
    await context.hear([unitsHeld(group(5, one, staleAt), group(1, other, staleAt))]);
    expect((await breadItem())?.available).toBe(2);
    expect(await buckets()).toEqual([{ available: 2 }]);
    await context.hear([unitsReleased(group(4, one, staleAt))]);
    expect((await breadItem())?.available).toBe(6);
    await context.hear([unitsDiscarded(true, group(4, one, staleAt)), unitsDiscarded(false, group(1, one, staleAt))]);
    expect((await breadItem())?.available).toBe(2);
    await context.hear([unitsDiscarded(true, group(2, other, staleAt))]);
    expect((await breadItem())?.available).toBe(0);
    expect(await buckets()).toEqual([]);
  });

  test('given holds heard before the units were, when both are, then the sum is right', async () => {
    const { test: context } = range;
    const batch = batchId();
    await context.hear([unitsHeld(group(2, batch, null))]);
    expect((await breadItem())?.available).toBe(0);
    await context.hear([unitsMade(group(5, batch, null))]);
    expect((await breadItem())?.available).toBe(3);
  });

  test('given any events in any order and any sets, when all are heard, then the shelf is their sum', async () => {
    const { test: context } = range;
    const kind = fc.constantFrom('made', 'held', 'released', 'off-shelf', 'from-order');
    const step = fc.record({ kind, batch: fc.nat(3), quantity: fc.integer({ min: 1, max: 9 }) });
    const signs = { made: 1, held: -1, released: 1, 'off-shelf': -1, 'from-order': 0 } as const;
    const ids = Array.from({ length: 4 }, batchId);
    const expected = [0, 0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const events = steps.map((each) => {
          const units = group(each.quantity, ids[each.batch] ?? '', null);
          expected[each.batch] = (expected[each.batch] ?? 0) + signs[each.kind] * each.quantity;
          if (each.kind === 'made') return unitsMade(units);
          if (each.kind === 'held') return unitsHeld(units);
          return each.kind === 'released' ? unitsReleased(units) : unitsDiscarded(each.kind === 'off-shelf', units);
        });
        await context.hear(events);
        const left = expected.filter((count) => count !== 0).toSorted((one, other) => one - other);
        expect(await buckets()).toEqual(left.map((available) => ({ available })));
        const sum = expected.reduce((total, count) => total + count, 0);
        expect((await breadItem())?.available).toBe(Math.max(0, sum));
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  test('given events of unknown sites and products, when heard, then they harm nothing', async () => {
    const { test: context } = range;
    const stranger = batchId();
    await context.hear([
      unitsMade(group(2, batchId(), null, stranger)),
      unitsMade(group(2, batchId(), null), stranger),
    ]);
    expect((await breadItem())?.available).toBe(0);
  });

  test('given units near their end, when read, then those that do not outlast a hold are not offered', async () => {
    const { test: context } = range;
    const { clock } = context;
    await context.hear([unitsMade(group(2, batchId(), plus(clock.now(), 25 * MINUTE)))]);
    clock.advance(23 * MINUTE - 1);
    expect((await breadItem())?.available).toBe(2);
    clock.advance(1);
    expect((await breadItem())?.available).toBe(0);
  });

  test('given half an hour to closing and closing itself, when read, then price and door follow to the moment', async () => {
    const { clock } = range.test;
    const at = (text: string) => instant(Date.parse(text));
    clock.advanceTo(at('2026-11-21T16:29:59.999Z'));
    expect(await breadItem()).toMatchObject({ discountPercent: 0, price: eur(450) });
    clock.advance(1);
    expect(await breadItem()).toMatchObject({ discountPercent: 30, price: eur(315), listPrice: eur(450) });
    clock.advanceTo(at('2026-11-21T17:00:00.000Z'));
    expect(await menu()).toMatchObject({ open: false, items: [{ discountPercent: 0 }] });
  });

  test('given a change of product or site, when read, then it shows at once', async () => {
    const { http } = range;
    await menu();
    await http.call(`PATCH /api/products/${breadId}`, { ...manager, body: { price: eur(500) } });
    expect((await breadItem())?.price).toEqual(eur(500));
    await http.call(`PATCH /api/sites/${siteId}`, { ...manager, body: { opensAt: '17:00' } });
    expect((await menu()).open).toBe(false);
    await http.call(`DELETE /api/products/${breadId}`, manager);
    expect((await menu()).items).toEqual([]);
  });

  test('given a variation, when read, then the menu says what the product costs in it', async () => {
    await made(range.http, `/api/products/${breadId}/variations`, { name: 'Half', priceDelta: eur(-200) });
    expect((await breadItem())?.variations).toMatchObject([{ name: 'Half', priceDelta: eur(-200), price: eur(250) }]);
  });

  test('given a product of other money, when read, then it is not on this menu', async () => {
    const price = { amount: 500, currency: 'USD' };
    await made(range.http, '/api/products', { ...coffee, sku: 'US', price });
    expect((await menu()).items.map(({ productId }) => productId)).toEqual([breadId]);
    const abroad = await made(range.http, '/api/sites', { ...shop, currency: 'USD' });
    expect((await menu(abroad)).items).toMatchObject([{ price }]);
  });

  test('given a vending pool, when read, then only what it has, or ever had, units of', async () => {
    const { http, test: context } = range;
    const pool = await made(http, '/api/sites', { ...shop, kind: 'vending' });
    await made(http, '/api/products', coffee);
    expect((await menu(pool)).items).toEqual([]);
    const batch = batchId();
    await context.hear([unitsMade(group(1, batch, null), pool)]);
    expect((await menu(pool)).items).toMatchObject([{ productId: breadId, available: 1 }]);
    const sold = { ...unitsHeld(group(1, batch, null)), key: pool } as Extract<
      Said,
      { type: 'inventory.units-held.v1' }
    >;
    await context.hear([{ ...sold, data: { ...sold.data, siteId: pool } }]);
    expect((await menu(pool)).items).toMatchObject([{ productId: breadId, available: 0 }]);
  });

  test('given the tag of the content, when asked again, then 304 until it changes', async () => {
    const { http, test: context } = range;
    const line = `GET /api/menu?siteId=${siteId}`;
    const first = await http.call(line);
    const etag = String(first.headers.etag);
    expect(first.headers['cache-control']).toBe('no-cache');
    context.clock.advance(2 * SECOND);
    expect((await http.call(line, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await http.call(line, { headers: { 'if-none-match': `"other", W/${etag}` } })).status).toBe(304);
    expect((await http.call(line, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    await context.hear([unitsMade(group(1, batchId(), null))]);
    const changed = await http.call(line, { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  test('given no site, an unknown one or nonsense, when read, then 400 or 404', async () => {
    const { http } = range;
    expect((await http.call('GET /api/menu')).status).toBe(400);
    expect((await http.call('GET /api/menu?siteId=1')).status).toBe(400);
    expect((await http.call(`GET /api/menu?siteId=${ORDER}`)).status).toBe(404);
  });
});

describe('the menu reader', () => {
  test('given many who ask at once, then one query serves them; again only when dropped or a second has passed', async () => {
    const { db } = range.test.running;
    const { clock } = range.test;
    const query = vi.spyOn(db, 'query');
    const menus = menuReader(db, clock);
    const all = await Promise.all(Array.from({ length: 200 }, () => menus.read(siteId)));
    expect(new Set(all).size).toBe(1);
    await menus.read(siteId);
    expect(query).toHaveBeenCalledTimes(1);
    clock.advance(SECOND - 1);
    await menus.read(siteId);
    expect(query).toHaveBeenCalledTimes(1);
    clock.advance(1);
    await menus.read(siteId);
    expect(query).toHaveBeenCalledTimes(2);
    menus.drop([siteId]);
    await menus.read(siteId);
    expect(query).toHaveBeenCalledTimes(3);
    query.mockRestore();
  });

  test('given a change while a menu is being read, then the old one is not kept', async () => {
    const { db } = range.test.running;
    const menus = menuReader(db, range.test.clock);
    const before = menus.read(siteId);
    await db.withTx((tx) =>
      tx.query({ name: 'test-raise-price', text: 'UPDATE products SET price = 999 WHERE id = $1' }, [breadId]),
    );
    menus.dropAll();
    const after = await menus.read(siteId);
    await before;
    expect(after?.json.toString()).toContain('"amount":999');
    expect((await menus.read(siteId))?.json.toString()).toContain('"amount":999');
  });
});
