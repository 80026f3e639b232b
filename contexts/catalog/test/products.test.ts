import type { ProductView, VariationView } from '@provender/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineProduct } from '../src/index.ts';
import { bread, coffee, eur, made, openRange, type Range } from './range.ts';

const UNKNOWN = '01900000-0000-7000-8000-00000000dead';
const manager = { as: 'manager' } as const;

let range: Range;
let skuCount = 0;
beforeAll(async () => {
  range = await openRange();
});
afterAll(() => range.close());

function fresh(change: object = {}) {
  skuCount += 1;
  return { ...bread, sku: `SKU-${skuCount}`, ...change };
}

async function saidOf(productId: string) {
  return (await range.test.said()).filter(({ subject }) => subject === productId);
}

describe('products over HTTP', () => {
  test('given a manager, when a product is taken in, then it is there and said', async () => {
    const { http } = range;
    const variations = [
      { name: 'Sliced', priceDelta: eur(20) },
      { name: 'Half', priceDelta: eur(-200) },
    ];
    const body = fresh({ description: 'Rye and wheat.\nBaked twice.', keepsOvernight: true, variations });
    const taken = await http.call<ProductView>('POST /api/products', { ...manager, body });
    expect(taken.status).toBe(201);
    expect(taken.body).toMatchObject({ ...body, variations });
    expect(taken.body.variations.map(({ name }) => name)).toEqual(['Sliced', 'Half']);
    expect((await http.call(`GET /api/products/${taken.body.id}`, manager)).body).toEqual(taken.body);
    const [said] = await saidOf(taken.body.id);
    expect(said).toMatchObject({
      type: 'catalog.product-defined.v1',
      data: { productId: taken.body.id, price: eur(450), unitCost: eur(120), shelfLifeMinutes: 600 },
    });
  });

  test('given somebody who does not work here, when reading, then the cost is not told', async () => {
    const { http } = range;
    const id = await made(http, '/api/products', fresh());
    for (const as of [undefined, 'customer'] as const) {
      const { body } = await http.call(`GET /api/products/${id}`, as === undefined ? {} : { as });
      expect(body).not.toHaveProperty('unitCost');
    }
    expect((await http.call(`GET /api/products/${id}`, { as: 'staff' })).body.unitCost).toEqual(eur(120));
    const list = await http.call<{ items: ProductView[] }>('GET /api/products');
    expect(list.body.items.every((item) => item.unitCost === undefined)).toBe(true);
  });

  test('given anybody but a manager, when changing products, then it is refused', async () => {
    const { http } = range;
    const path = `/api/products/${await made(http, '/api/products', fresh())}`;
    for (const line of ['POST /api/products', `PATCH ${path}`, `POST ${path}/variations`]) {
      expect((await http.call(line, { body: fresh() })).status).toBe(401);
      expect((await http.call(line, { as: 'staff', body: fresh() })).status).toBe(403);
    }
    expect((await http.call(`DELETE ${path}`, { as: 'staff' })).status).toBe(403);
  });

  test.each([
    [{ price: { amount: -1, currency: 'EUR' } }, '/price/amount'],
    [{ price: { amount: 1.5, currency: 'EUR' } }, '/price/amount'],
    [{ price: { amount: '450', currency: 'EUR' } }, '/price/amount'],
    [{ price: { amount: 1e21, currency: 'EUR' } }, '/price/amount'],
    [{ unitCost: { amount: 1, currency: 'USD' } }, '/unitCost/currency'],
    [{ shelfLife: 'PT30S' }, '/shelfLife'],
    [{ shelfLife: '25 minutes' }, '/shelfLife'],
    [{ stock: 'made-to-order' }, '/shelfLife'],
    [{ closingDiscountPercent: 101 }, '/closingDiscountPercent'],
    [{ name: 'a bell\u0007rings' }, '/name'],
    [{ sku: ' ' }, '/sku'],
    [{ variations: [{ name: 'Gift', priceDelta: eur(-451) }] }, '/variations/0/priceDelta/amount'],
    [{ currency: 'EUR' }, '/currency'],
  ])('given %j, when a product is taken in, then 400 says where', async (change, pointer) => {
    const answer = await range.http.call('POST /api/products', { ...manager, body: fresh(change) });
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    expect((answer.body.errors as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
  });

  test('given a sku that a living product has, when taken in or changed to, then 409; withdrawn, it is free', async () => {
    const { http } = range;
    const one = fresh();
    const id = await made(http, '/api/products', one);
    const other = await made(http, '/api/products', fresh());
    const taken = { status: 409, body: { type: '/problems/sku-taken' } };
    expect(await http.call('POST /api/products', { ...manager, body: one })).toMatchObject(taken);
    const patch = { ...manager, body: { sku: one.sku } };
    expect(await http.call(`PATCH /api/products/${other}`, patch)).toMatchObject(taken);
    expect((await http.call(`PATCH /api/products/${id}`, patch)).status).toBe(200);
    expect((await http.call(`DELETE /api/products/${id}`, manager)).status).toBe(204);
    expect((await http.call(`PATCH /api/products/${other}`, patch)).status).toBe(200);
  });

  test('given twenty who want one sku at the same time, then one gets it and no one sees an error', async () => {
    const body = fresh();
    const calls = Array.from({ length: 20 }, () => range.http.call('POST /api/products', { ...manager, body }));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  test('given a product, when changed, then only what is named changes and null clears', async () => {
    const { http } = range;
    const body = fresh({ description: 'Good', keepsOvernight: true });
    const id = await made(http, '/api/products', body);
    const patch = { price: eur(500), description: null, unitCost: null, shelfLife: null, keepsOvernight: null };
    const changed = await http.call<ProductView>(`PATCH /api/products/${id}`, { ...manager, body: patch });
    const { description: _, unitCost: __, shelfLife: ___, ...rest } = body;
    expect(changed).toMatchObject({ status: 200, body: { ...rest, price: eur(500), keepsOvernight: false } });
    for (const gone of ['description', 'unitCost', 'shelfLife']) expect(changed.body).not.toHaveProperty(gone);
    expect((await saidOf(id)).at(-1)).toMatchObject({ data: { unitCost: eur(0), shelfLifeMinutes: null } });
    const before = (await saidOf(id)).length;
    await http.call(`PATCH /api/products/${id}`, { ...manager, body: { price: eur(500) } });
    expect(await saidOf(id)).toHaveLength(before);
  });

  test('given a withdrawn product, then it is gone from lists, 404 by its id, and stays so', async () => {
    const { http } = range;
    const id = await made(http, '/api/products', fresh());
    const path = `/api/products/${id}`;
    expect((await http.call(`DELETE ${path}`, manager)).status).toBe(204);
    expect((await http.call(`GET ${path}`)).status).toBe(404);
    expect((await http.call(`DELETE ${path}`, manager)).status).toBe(404);
    expect((await http.call(`PATCH ${path}`, { ...manager, body: {} })).status).toBe(404);
    const draft = { name: 'A', priceDelta: eur(1) };
    expect((await http.call(`POST ${path}/variations`, { ...manager, body: draft })).status).toBe(404);
    const list = await http.call<{ items: ProductView[] }>('GET /api/products?limit=200');
    expect(list.body.items.map((item) => item.id)).not.toContain(id);
    const types = (await saidOf(id)).map(({ type }) => type);
    expect(types).toEqual(['catalog.product-defined.v1', 'catalog.product-withdrawn.v1']);
  });

  test('given an unknown product, when read, changed or withdrawn, then 404', async () => {
    const { http } = range;
    expect((await http.call(`GET /api/products/${UNKNOWN}`)).status).toBe(404);
    expect((await http.call(`PATCH /api/products/${UNKNOWN}`, { ...manager, body: {} })).status).toBe(404);
    expect((await http.call(`DELETE /api/products/${UNKNOWN}`, manager)).status).toBe(404);
  });

  test('given many products, when listed, then newest first, in pages', async () => {
    const { http } = range;
    type ProductsPage = { items: ProductView[]; nextCursor?: string };
    const first = await http.call<ProductsPage>('GET /api/products?limit=3');
    const second = await http.call<ProductsPage>(`GET /api/products?limit=3&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.items, ...second.body.items].map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(new Set(ids).size).toBe(6);
  });

  test('given a repeated Idempotency-Key, when taken in again, then the first answer again, and one product', async () => {
    const call = { ...manager, body: fresh(), headers: { 'idempotency-key': 'take-in-once' } };
    const first = await range.http.call<ProductView>('POST /api/products', call);
    const second = await range.http.call<ProductView>('POST /api/products', call);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers['idempotency-replayed']).toBe('true');
  });
});

describe('variations over HTTP', () => {
  test('given a product, when one is added, changed and taken off, then product and event follow', async () => {
    const { http } = range;
    const id = await made(http, '/api/products', { ...coffee, sku: fresh().sku });
    const path = `/api/products/${id}/variations`;
    const oat = { name: 'Oat milk', priceDelta: eur(40) };
    const added = await http.call<VariationView>(`POST ${path}`, { ...manager, body: oat });
    expect(added).toMatchObject({ status: 201, body: oat });
    const one = `${path}/${added.body.id}`;
    const changed = await http.call(`PATCH ${one}`, { ...manager, body: { priceDelta: eur(50) } });
    expect(changed).toMatchObject({ status: 200, body: { id: added.body.id, name: 'Oat milk', priceDelta: eur(50) } });
    const product = await http.call<ProductView>(`GET /api/products/${id}`);
    expect(product.body.variations).toEqual([changed.body]);
    expect((await saidOf(id)).at(-1)?.data).toMatchObject({ variations: [{ variationId: added.body.id }] });
    expect((await http.call(`DELETE ${one}`, manager)).status).toBe(204);
    expect((await http.call(`DELETE ${one}`, manager)).status).toBe(404);
    expect((await http.call(`PATCH ${one}`, { ...manager, body: { name: 'A' } })).status).toBe(404);
    expect((await http.call<ProductView>(`GET /api/products/${id}`)).body.variations).toEqual([]);
    expect((await saidOf(id)).at(-1)?.data).toMatchObject({ variations: [] });
  });

  test('given a difference that makes the price negative or is of other money, then 400', async () => {
    const { http } = range;
    const path = `/api/products/${await made(http, '/api/products', fresh())}`;
    const gift = { name: 'Gift', priceDelta: eur(-451) };
    const refused = await http.call(`POST ${path}/variations`, { ...manager, body: gift });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/priceDelta/amount' }] } });
    const dollar = { name: 'US', priceDelta: { amount: 1, currency: 'USD' } };
    expect((await http.call(`POST ${path}/variations`, { ...manager, body: dollar })).status).toBe(400);
    await made(http, `${path}/variations`, { name: 'Half', priceDelta: eur(-200) });
    expect((await http.call(`PATCH ${path}`, { ...manager, body: { price: eur(199) } })).status).toBe(400);
  });

  test('given a cheaper variation added while the price falls, then never both: the price stays above zero', async () => {
    const { http } = range;
    const path = `/api/products/${await made(http, '/api/products', fresh())}`;
    const half = { name: 'Half', priceDelta: eur(-300) };
    const [added, lowered] = await Promise.all([
      http.call(`POST ${path}/variations`, { ...manager, body: half }),
      http.call(`PATCH ${path}`, { ...manager, body: { price: eur(100) } }),
    ]);
    expect([added.status, lowered.status].filter((status) => status === 400)).toHaveLength(1);
  });
});

describe('the use case', () => {
  test('given the same id twice, when defined, then the first stands and nothing more is said', async () => {
    const ids = { productId: '01900000-0000-7000-8000-00000000a001', variationIds: [] };
    const { db } = range.test.running;
    const draft = fresh();
    await db.withTx((tx) => defineProduct(tx, ids, draft));
    const again = await db.withTx((tx) => defineProduct(tx, ids, { ...draft, name: 'Another' }));
    expect(again).toMatchObject({ ok: true, value: { id: ids.productId, name: bread.name } });
    expect(await saidOf(ids.productId)).toHaveLength(1);
  });
});
