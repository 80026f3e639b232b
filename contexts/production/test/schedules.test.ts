import type { BatchView, ScheduleView } from '@provender/contracts';
import { HOUR, MINUTE, plus } from '@provender/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineSchedule } from '../src/index.ts';
import {
  type Bakery,
  BREAD,
  berlin,
  bread,
  COFFEE,
  openBakery,
  productDefined,
  productWithdrawn,
  SITE,
  siteDefined,
  UNKNOWN,
} from './bakery.ts';

const manager = { as: 'manager' } as const;
const SCHEDULES = '/api/production/schedules';
const draft = { siteId: SITE, productId: BREAD, every: 'PT2H', quantity: 5 };

let bakery: Bakery;
beforeEach(async () => {
  bakery = await openBakery();
});
afterEach(() => bakery.close());

async function scheduled(change: object = {}): Promise<string> {
  const body = { ...draft, ...change };
  const answer = await bakery.http.call<ScheduleView>(`POST ${SCHEDULES}`, { ...manager, body });
  expect(answer.status).toBe(201);
  return answer.body.id;
}

describe('schedules over HTTP', () => {
  test('given a manager, when a schedule is set up, then it is listed and read as it was asked for', async () => {
    const id = await scheduled();
    const { http } = bakery;
    expect((await http.call(`GET ${SCHEDULES}/${id}`, manager)).body).toEqual({ id, ...draft });
    const other = await scheduled({ every: 'PT1H' });
    const list = await http.call<{ items: ScheduleView[] }>(`GET ${SCHEDULES}?siteId=${SITE}`, manager);
    expect(list.body.items.map((item) => item.id)).toEqual([other, id]);
    const elsewhere = await http.call<{ items: ScheduleView[] }>(`GET ${SCHEDULES}?siteId=${UNKNOWN}`, manager);
    expect(elsewhere.body.items).toEqual([]);
    const page = await http.call<{ items: ScheduleView[]; nextCursor: string }>(`GET ${SCHEDULES}?limit=1`, manager);
    const next = await http.call<{ items: ScheduleView[] }>(`GET ${SCHEDULES}?cursor=${page.body.nextCursor}`, manager);
    expect(next.body.items.map((item) => item.id)).toEqual([id]);
  });

  test('given anybody else, when schedules are read or changed, then it is refused', async () => {
    const { http } = bakery;
    for (const line of [`GET ${SCHEDULES}`, `POST ${SCHEDULES}`, `PATCH ${SCHEDULES}/${UNKNOWN}`]) {
      expect((await http.call(line, line.startsWith('GET') ? {} : { body: draft })).status).toBe(401);
      const asStaff = line.startsWith('GET') ? {} : { body: draft };
      expect((await http.call(line, { as: 'staff', ...asStaff })).status).toBe(403);
    }
  });

  test.each([
    [{ every: 'PT59S' }, 400, 'invalid-request'],
    [{ every: 'P2D' }, 400, 'invalid-request'],
    [{ every: '30 minutes' }, 400, 'invalid-request'],
    [{ quantity: 0 }, 400, 'invalid-request'],
    [{ quantity: 10_001 }, 400, 'invalid-request'],
    [{ quantity: '5' }, 400, 'invalid-request'],
    [{ siteId: UNKNOWN }, 404, 'not-found'],
    [{ productId: UNKNOWN }, 404, 'not-found'],
    [{ productId: COFFEE }, 409, 'not-kept-as-units'],
  ])('given %j, when a schedule is set up, then %i %s', async (change, status, kind) => {
    const answer = await bakery.http.call(`POST ${SCHEDULES}`, { ...manager, body: { ...draft, ...change } });
    expect(answer).toMatchObject({ status, body: { type: `/problems/${kind}` } });
  });

  test('given an unknown schedule, when read, changed or ended, then 404', async () => {
    const { http } = bakery;
    expect((await http.call(`GET ${SCHEDULES}/${UNKNOWN}`, manager)).status).toBe(404);
    expect((await http.call(`PATCH ${SCHEDULES}/${UNKNOWN}`, { ...manager, body: {} })).status).toBe(404);
    expect((await http.call(`DELETE ${SCHEDULES}/${UNKNOWN}`, manager)).status).toBe(404);
  });
});

describe('a day of baking', () => {
  test('given a schedule, when the day passes, then it bakes from opening to closing, and says so', async () => {
    const id = await scheduled();
    await bakery.test.advanceTo(berlin('09:30', '2026-11-22'));
    expect(await bakery.baked()).toEqual([
      ...['11-21 07:00', '11-21 09:00', '11-21 11:00', '11-21 13:00', '11-21 15:00', '11-21 17:00'],
      ...['11-22 07:00', '11-22 09:00'],
    ]);
    const [said] = await bakery.test.said('production.batch-baked.v1');
    expect(said).toMatchObject({
      key: SITE,
      data: {
        ...{ siteId: SITE, productId: BREAD, quantity: 5, madeAt: '2026-11-21T06:00:00.000Z', scheduleId: id },
        ...{ shelfLifeMinutes: 240, unitCost: { amount: 120, currency: 'EUR' } },
      },
    });
  });

  test('given a schedule set up at the very moment of a slot, then that slot is baked', async () => {
    await bakery.test.advanceTo(berlin('09:00'));
    await scheduled();
    await bakery.test.advanceTo(berlin('09:01'));
    expect(await bakery.baked()).toEqual(['11-21 09:00']);
  });

  test('given the night that repeats an hour, when open around the clock, then each slot is baked once', async () => {
    await bakery.close();
    bakery = await openBakery(berlin('20:00', '2026-10-24'));
    await bakery.test.hear([siteDefined({ opensAt: '00:00', closesAt: '24:00' })]);
    await scheduled({ every: 'PT1H' });
    await bakery.test.advanceTo(berlin('05:30', '2026-10-25'));
    expect(await bakery.baked()).toEqual([
      ...['10-24 21:00', '10-24 22:00', '10-24 23:00', '10-25 00:00', '10-25 01:00', '10-25 02:00', '10-25 02:00'],
      ...['10-25 03:00', '10-25 04:00', '10-25 05:00'],
    ]);
  });

  test('given a process that was down, when it is back, then fresh units are baked once with their own time', async () => {
    const { clock, running } = bakery.test;
    await scheduled({ every: 'PT1H' });
    clock.advanceTo(berlin('12:30'));
    await running.timers.runDue();
    expect(await bakery.baked()).toEqual(['11-21 09:00', '11-21 10:00', '11-21 11:00', '11-21 12:00']);
    await running.timers.runDue();
    await bakery.test.sql('UPDATE production.timers SET due_at = $1', ['2026-11-21T06:00:00Z']);
    await running.timers.runDue();
    expect(await bakery.baked()).toHaveLength(4);
    await bakery.test.advanceTo(berlin('13:00'));
    expect(await bakery.baked()).toHaveLength(5);
  });

  test('given a forgotten settlement, when slots come again, then the table itself lets none be baked twice', async () => {
    const { test: context } = bakery;
    await scheduled();
    await context.advanceTo(berlin('11:00'));
    const before = await context.said('production.batch-baked.v1');
    await context.sql("UPDATE production.schedules SET settled_until = '2026-11-21T05:00:00Z'");
    await context.sql('UPDATE production.timers SET due_at = $1', ['2026-11-21T06:00:00Z']);
    await context.running.timers.runDue();
    expect(await context.said('production.batch-baked.v1')).toHaveLength(before.length);
  });

  test('given several processes, when a slot is due, then one of them bakes it', async () => {
    await scheduled();
    bakery.test.clock.advanceTo(berlin('07:00'));
    await Promise.all(Array.from({ length: 4 }, () => bakery.test.running.timers.runDue()));
    expect(await bakery.baked()).toEqual(['11-21 07:00']);
  });
});

describe('changes of plan', () => {
  test('given another rhythm and quantity, when changed, then they count from now on', async () => {
    const { http, test: context } = bakery;
    const id = await scheduled();
    await context.advanceTo(berlin('09:30'));
    const body = { every: 'PT30M', quantity: 7 };
    const changed = await http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body });
    expect(changed).toMatchObject({ status: 200, body: { id, ...draft, ...body } });
    await context.advanceTo(berlin('10:30'));
    expect(await bakery.baked()).toEqual(['11-21 07:00', '11-21 09:00', '11-21 10:00', '11-21 10:30']);
    const said = await context.said('production.batch-baked.v1');
    expect(said.map(({ data }) => (data as BatchView).quantity)).toEqual([5, 5, 7, 7]);
    const bad = await http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body: { every: 'PT1S' } });
    expect(bad.status).toBe(400);
    const unknown = await http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body: { siteId: SITE } });
    expect(unknown.status).toBe(400);
  });

  test('given a slot that is due while the schedule is changed, then it is baked as it was planned', async () => {
    const { http, test: context } = bakery;
    const id = await scheduled();
    context.clock.advanceTo(plus(berlin('07:00'), 100));
    await http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body: { quantity: 9 } });
    await context.running.timers.runDue();
    const said = await context.said('production.batch-baked.v1');
    expect(said.map(({ data }) => (data as BatchView).quantity)).toEqual([5]);
  });

  test('given changes while slots are baked, when all are done, then nothing is stuck and no slot is baked twice', async () => {
    const { http, test: context } = bakery;
    const id = await scheduled({ every: 'PT1M' });
    for (let minute = 0; minute < 5; minute += 1) {
      context.clock.advanceTo(plus(berlin('07:00'), minute * MINUTE));
      const body = { quantity: minute + 1 };
      const [changed] = await Promise.all([
        http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body }),
        ...Array.from({ length: 3 }, () => context.running.timers.runDue()),
      ]);
      expect(changed.status).toBe(200);
    }
    await context.running.timers.runDue();
    expect(await bakery.baked()).toEqual(['11-21 07:00', '11-21 07:01', '11-21 07:02', '11-21 07:03', '11-21 07:04']);
  });

  test('given an ended schedule, when its slots come, then nothing is baked, and it is gone', async () => {
    const { http, test: context } = bakery;
    const id = await scheduled();
    await context.advanceTo(berlin('07:30'));
    expect((await http.call(`DELETE ${SCHEDULES}/${id}`, manager)).status).toBe(204);
    expect((await http.call(`DELETE ${SCHEDULES}/${id}`, manager)).status).toBe(404);
    expect((await http.call(`GET ${SCHEDULES}/${id}`, manager)).status).toBe(404);
    expect((await http.call(`PATCH ${SCHEDULES}/${id}`, { ...manager, body: { quantity: 1 } })).status).toBe(404);
    await context.advanceTo(berlin('12:00'));
    expect(await bakery.baked()).toEqual(['11-21 07:00']);
    expect(await context.sql('SELECT FROM production.timers')).toEqual([]);
  });

  test('given other hours of the site, when heard, then schedules follow from that moment', async () => {
    const { test: context } = bakery;
    await scheduled();
    await context.advanceTo(berlin('09:30'));
    await context.hear([siteDefined({ opensAt: '06:30', closesAt: '13:00' })]);
    await context.advanceTo(berlin('08:00', '2026-11-22'));
    expect(await bakery.baked()).toEqual([
      ...['11-21 07:00', '11-21 09:00', '11-21 10:30', '11-21 12:30', '11-22 06:30'],
    ]);
  });

  test('given another name only, when heard, then nothing is planned anew', async () => {
    const { test: context } = bakery;
    await scheduled();
    const before = await context.sql('SELECT due_at FROM production.timers');
    await context.hear([siteDefined({ name: 'Another' })]);
    expect(await context.sql('SELECT due_at FROM production.timers')).toEqual(before);
  });

  test('given a withdrawn product, when heard, then its schedules end', async () => {
    const { http, test: context } = bakery;
    const id = await scheduled();
    await context.hear([productWithdrawn(BREAD)]);
    expect((await http.call(`GET ${SCHEDULES}/${id}`, manager)).status).toBe(404);
    await context.advanceTo(plus(berlin('07:00'), 3 * HOUR));
    expect(await bakery.baked()).toEqual([]);
    const answer = await http.call(`POST ${SCHEDULES}`, { ...manager, body: draft });
    expect(answer).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
  });

  test('given a product made to order for a while, then its schedule rests and goes on', async () => {
    const { test: context } = bakery;
    await scheduled();
    await context.advanceTo(berlin('07:30'));
    await context.hear([productDefined({ ...bread, stock: 'made-to-order', shelfLifeMinutes: null })]);
    await context.advanceTo(berlin('09:30'));
    await context.hear([productDefined(bread)]);
    await context.advanceTo(berlin('11:30'));
    expect(await bakery.baked()).toEqual(['11-21 07:00', '11-21 11:00']);
  });
});

describe('the use case', () => {
  test('given the same id twice, when defined, then the first stands', async () => {
    const { db } = bakery.test.running;
    const now = bakery.test.clock.now();
    await db.withTx((tx) => defineSchedule(tx, UNKNOWN, draft, now));
    const again = await db.withTx((tx) => defineSchedule(tx, UNKNOWN, { ...draft, quantity: 9 }, now));
    expect(again).toMatchObject({ ok: true, value: { everyMilliseconds: 120 * MINUTE, quantity: 5 } });
  });
});
