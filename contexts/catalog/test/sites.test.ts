import type { SiteView } from '@provender/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineSite } from '../src/index.ts';
import { made, openRange, type Range, shop } from './range.ts';

const UNKNOWN = '01900000-0000-7000-8000-00000000dead';

let range: Range;
beforeAll(async () => {
  range = await openRange();
});
afterAll(() => range.close());

describe('sites over HTTP', () => {
  test('given a manager, when a site is opened, then it is there for anyone, and said', async () => {
    const { http, test: context } = range;
    const opened = await http.call<SiteView>('POST /api/sites', { as: 'manager', body: shop });
    expect(opened).toMatchObject({ status: 201, body: { ...shop, freeVend: false } });
    expect(opened.headers.location).toBe(`/api/sites/${opened.body.id}`);
    expect((await http.call(`GET /api/sites/${opened.body.id}`)).body).toEqual(opened.body);
    const said = await context.said('catalog.site-defined.v1');
    const { id: siteId, ...rest } = opened.body;
    expect(said.at(-1)).toMatchObject({ key: siteId, subject: siteId, data: { siteId, ...rest } });
  });

  test('given anybody else, when a site is opened or changed, then it is refused', async () => {
    const { http } = range;
    expect((await http.call('POST /api/sites', { body: shop })).status).toBe(401);
    expect((await http.call('POST /api/sites', { as: 'staff', body: shop })).status).toBe(403);
    expect((await http.call(`PATCH /api/sites/${UNKNOWN}`, { as: 'customer', body: {} })).status).toBe(403);
  });

  test.each([
    [{ ...shop, timeZone: 'Europe/Nowhere' }, '/timeZone'],
    [{ ...shop, timeZone: '+01:00' }, '/timeZone'],
    [{ ...shop, opensAt: '24:00' }, '/opensAt'],
    [{ ...shop, opensAt: '18:00' }, '/closesAt'],
    [{ ...shop, closesAt: '24:01' }, '/closesAt'],
    [{ ...shop, currency: 'QQQ' }, '/currency'],
    [{ ...shop, kind: 'kiosk' }, '/kind'],
    [{ ...shop, name: '' }, '/name'],
    [{ ...shop, freeVend: 'yes' }, '/freeVend'],
    [{ ...shop, id: UNKNOWN }, '/id'],
  ])('given %j, when a site is opened, then 400 says where', async (body, pointer) => {
    const answer = await range.http.call('POST /api/sites', { as: 'manager', body });
    expect(answer).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    expect((answer.body.errors as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
  });

  test('given a site, when changed, then only what is named changes, and no change is not said', async () => {
    const { http, test: context } = range;
    const id = await made(http, '/api/sites', shop);
    const patch = { opensAt: '00:00', closesAt: '24:00' };
    const changed = await http.call(`PATCH /api/sites/${id}`, { as: 'manager', body: patch });
    expect(changed).toMatchObject({ status: 200, body: { id, ...shop, ...patch } });
    const before = (await context.said()).length;
    expect((await http.call(`PATCH /api/sites/${id}`, { as: 'manager', body: patch })).status).toBe(200);
    expect((await http.call(`PATCH /api/sites/${id}`, { as: 'manager', body: {} })).status).toBe(200);
    expect((await context.said()).length).toBe(before);
    const clash = await http.call(`PATCH /api/sites/${id}`, { as: 'manager', body: { closesAt: '00:00' } });
    expect(clash.status).toBe(400);
  });

  test('given an unknown site, when read or changed, then 404; an id that is none, 400', async () => {
    const { http } = range;
    expect((await http.call(`GET /api/sites/${UNKNOWN}`)).status).toBe(404);
    expect((await http.call(`PATCH /api/sites/${UNKNOWN}`, { as: 'manager', body: {} })).status).toBe(404);
    expect((await http.call('GET /api/sites/nonsense')).status).toBe(400);
  });

  test('given many sites, when listed, then newest first, in pages that name each once', async () => {
    const { http } = range;
    for (let count = 0; count < 3; count += 1) await made(http, '/api/sites', { ...shop, name: `Site ${count}` });
    type SitesPage = { items: SiteView[]; nextCursor?: string };
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await http.call<SitesPage>(`GET /api/sites?limit=2${cursor}`);
      seen.push(...body.items.map(({ id }) => id));
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    const whole = await http.call<SitesPage>('GET /api/sites');
    expect(seen).toEqual(whole.body.items.map(({ id }) => id));
    expect(seen).toEqual(seen.toSorted().toReversed());
    expect((await http.call('GET /api/sites?cursor=nonsense')).status).toBe(400);
  });
});

describe('the use case', () => {
  test('given the same id twice, when defined, then the first stands and nothing more is said', async () => {
    const { test: context } = range;
    const id = '01900000-0000-7000-8000-00000000a001';
    const { db } = context.running;
    await db.withTx((tx) => defineSite(tx, id, shop));
    const again = await db.withTx((tx) => defineSite(tx, id, { ...shop, name: 'Another' }));
    expect(again).toMatchObject({ ok: true, value: { id, name: shop.name } });
    const said = await context.said('catalog.site-defined.v1');
    expect(said.filter(({ subject }) => subject === id)).toHaveLength(1);
  });
});
