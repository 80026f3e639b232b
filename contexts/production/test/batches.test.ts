import type { BatchView } from '@provender/contracts';
import { MINUTE } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bakeBatch } from '../src/index.ts';
import { type Bakery, BREAD, COFFEE, openBakery, SITE, siteDefined, UNKNOWN } from './bakery.ts';

const BATCHES = '/api/production/batches';
const OTHER_SITE = '01900000-0000-7000-8000-000000000002';
const draft = { siteId: SITE, productId: BREAD, quantity: 12 };
const staff = { as: 'staff' } as const;

let bakery: Bakery;
beforeAll(async () => {
  bakery = await openBakery();
  await bakery.test.hear([siteDefined({ siteId: OTHER_SITE })]);
});
afterAll(() => bakery.close());

describe('baking by hand over HTTP', () => {
  test('given staff, when a batch is baked, then it is made now, and said', async () => {
    const { http, test: context } = bakery;
    const baked = await http.call<BatchView>(`POST ${BATCHES}`, { ...staff, body: draft });
    const madeAt = '2026-11-21T05:00:00.000Z';
    expect(baked).toMatchObject({ status: 201, body: { ...draft, madeAt } });
    expect(baked.body).not.toHaveProperty('scheduleId');
    const said = await context.said('production.batch-baked.v1');
    expect(said.at(-1)).toMatchObject({
      ...{ key: SITE, subject: baked.body.id },
      data: { batchId: baked.body.id, ...draft, madeAt, shelfLifeMinutes: 240 },
    });
  });

  test('given a customer or nobody, when baking or looking, then it is refused', async () => {
    const { http } = bakery;
    expect((await http.call(`POST ${BATCHES}`, { body: draft })).status).toBe(401);
    expect((await http.call(`POST ${BATCHES}`, { as: 'customer', body: draft })).status).toBe(403);
    expect((await http.call(`GET ${BATCHES}`, { as: 'customer' })).status).toBe(403);
    expect((await http.call(`POST ${BATCHES}`, { as: 'manager', body: draft })).status).toBe(201);
  });

  test.each([
    [{ quantity: 0 }, 400, 'invalid-request'],
    [{ quantity: 1e21 }, 400, 'invalid-request'],
    [{ quantity: null }, 400, 'invalid-request'],
    [{ madeAt: '2026-11-21T05:00:00.000Z' }, 400, 'invalid-request'],
    [{ siteId: UNKNOWN }, 404, 'not-found'],
    [{ productId: UNKNOWN }, 404, 'not-found'],
    [{ productId: COFFEE }, 409, 'not-kept-as-units'],
  ])('given %j, when a batch is baked, then %i %s', async (change, status, kind) => {
    const answer = await bakery.http.call(`POST ${BATCHES}`, { ...staff, body: { ...draft, ...change } });
    expect(answer).toMatchObject({ status, body: { type: `/problems/${kind}` } });
  });

  test('given batches of two sites, when listed, then newest first, of one or of both, in pages', async () => {
    const { http, test: context } = bakery;
    for (const siteId of [OTHER_SITE, SITE, OTHER_SITE]) {
      context.clock.advance(MINUTE);
      await http.call(`POST ${BATCHES}`, { ...staff, body: { ...draft, siteId } });
    }
    type BatchesPage = { items: BatchView[]; nextCursor?: string };
    const other = await http.call<BatchesPage>(`GET ${BATCHES}?siteId=${OTHER_SITE}`, staff);
    expect(other.body.items.map(({ madeAt }) => madeAt.slice(11, 16))).toEqual(['05:03', '05:01']);
    const whole = await http.call<BatchesPage>(`GET ${BATCHES}`, staff);
    const seen: BatchView[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await http.call<BatchesPage>(`GET ${BATCHES}?limit=2${cursor}`, staff);
      seen.push(...body.items);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(whole.body.items);
    expect(seen.length).toBeGreaterThan(4);
    const paged = await http.call<BatchesPage>(`GET ${BATCHES}?siteId=${OTHER_SITE}&limit=1`, staff);
    const rest = await http.call<BatchesPage>(
      `GET ${BATCHES}?siteId=${OTHER_SITE}&limit=1&cursor=${paged.body.nextCursor}`,
      staff,
    );
    expect([...paged.body.items, ...rest.body.items]).toEqual(other.body.items);
    expect(rest.body.nextCursor).toBeUndefined();
  });
});

describe('the use case', () => {
  test('given the same id twice, when baked, then the first stands and it is said once', async () => {
    const { test: context } = bakery;
    const { db } = context.running;
    const now = context.clock.now();
    await db.withTx((tx) => bakeBatch(tx, UNKNOWN, draft, now));
    const again = await db.withTx((tx) => bakeBatch(tx, UNKNOWN, { ...draft, quantity: 1 }, now));
    expect(again).toMatchObject({ ok: true, value: { id: UNKNOWN, quantity: 12 } });
    const said = await context.said('production.batch-baked.v1');
    expect(said.filter(({ subject }) => subject === UNKNOWN)).toHaveLength(1);
  });
});
