import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../support/api.ts';
import { type AttackedTown, MISSING_ID, openAttackedTown } from '../support/attacked-town.ts';
import { expectEveryPromise } from '../support/test-server.ts';
import { euro } from '../support/town.ts';
import { FORM_ROUTES, validRequests, type ValidRequest } from './valid-requests.ts';

let town: AttackedTown;

beforeAll(async () => {
  town = await openAttackedTown();
});

afterAll(() => town.close());

const TWINS = 50;

function send(name: string, { as, path, body }: ValidRequest, key: string): Promise<ApiAnswer> {
  return town.call(as, `${name.split(' ')[0]} ${path}`, { body, key });
}

/** The same request with one plain value changed, or with another object in its path. */
function another({ as, path, body }: ValidRequest): ValidRequest {
  if (body === undefined) {
    const elsewhere = path.replace(/[0-9a-f-]{36}/, MISSING_ID);
    return elsewhere === path ? { as, path, body: { any: 'something else' } } : { as, path: elsewhere };
  }
  return { as, path, body: { ...body, [Object.keys(body)[0] ?? 'any']: 'something else' } };
}

describe('repeats', () => {
  test('given every route that changes something, when it is looked up, then it is repeated below', () => {
    const names = town.routes().filter(({ method, name }) => method !== 'GET' && !FORM_ROUTES.includes(name));
    expect(names.map(({ name }) => name).sort()).toEqual(Object.keys(validRequests).sort());
  });

  test.for(Object.entries(validRequests))(
    'given %s with a key, when it is sent again, then the first answer comes again and nothing happens twice',
    { timeout: 60_000 },
    async ([name, makes]) => {
      for (const [index, make] of makes.entries()) {
        const request = await make(town);
        const key = `${name} ${index}`;
        const first = await send(name, request, key);
        expect(first.headers['idempotency-replayed']).toBeUndefined();
        const said = await town.eventsSaid();
        const second = await send(name, request, key);
        expect([second.status, second.text]).toEqual([first.status, first.text]);
        expect(await town.eventsSaid()).toBe(said);
        if (first.status < 300) expect(second.headers['idempotency-replayed']).toBe('true');
        if (first.headers.location !== undefined) expect(second.headers.location).toBe(first.headers.location);
      }
    },
  );

  test.for(Object.entries(validRequests).filter(([name]) => !name.includes('/parked/')))(
    'given %s with a key, when another request comes with it, then it is refused with 422 or for itself',
    { timeout: 60_000 },
    async ([name, makes]) => {
      const [make] = makes;
      const request = await make?.(town);
      if (request === undefined) throw new Error('No request');
      const key = `other ${name}`;
      expect((await send(name, request, key)).status).toBeLessThan(300);
      const said = await town.eventsSaid();
      // A value that is wrong by itself is refused as 400 before anybody looks at the key.
      const wrong = await send(name, another(request), key);
      expect([400, 422]).toContain(wrong.status);
      const valid = await make?.(town);
      if (valid !== undefined && JSON.stringify(valid) !== JSON.stringify(request)) {
        const refused = await send(name, valid, key);
        expect([refused.status, refused.body]).toMatchObject([422, { type: '/problems/idempotency-key-reused' }]);
      }
      if (valid === request) expect(await town.eventsSaid()).toBe(said);
    },
  );

  test.for(Object.entries(validRequests))(
    'given %s fifty times at once with one key, when they race, then it is done once and all hear the same',
    { timeout: 60_000 },
    async ([name, makes]) => {
      for (const [index, make] of makes.entries()) {
        const request = await make(town);
        const key = `race ${name} ${index}`;
        const answers = await Promise.all(Array.from({ length: TWINS }, () => send(name, request, key)));
        const told = answers.filter(({ body }) => (body as { type?: string } | undefined)?.type !== IN_PROGRESS);
        expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
        expect(new Set(told.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
        for (const each of answers) if (!told.includes(each)) expect(each.headers['retry-after']).toBeDefined();
        const later = await send(name, request, key);
        expect([later.status, later.text]).toEqual([told[0]?.status, told[0]?.text]);
      }
    },
  );

  test('given a key of one caller, when another caller uses it, or another route, then it is another key', async () => {
    const body = { amount: euro(5) };
    const first = await town.call('manager', 'POST /api/bank/deposits', { body, key: 'shared' });
    const named = { ...body, accountId: town.people.customer.id };
    const other = await town.call('customer', 'POST /api/bank/deposits', { body: named, key: 'shared' });
    expect([first.status, other.status]).toEqual([201, 403]);
    const swept = { siteId: town.siteId, kind: 'stale' };
    expect((await town.call('manager', 'POST /api/inventory/sweeps', { body: swept, key: 'shared' })).status).toBe(200);
    // Members in another order are the same request.
    const sameAgain = { amount: { currency: 'EUR', amount: 5 } };
    const again = await town.call('manager', 'POST /api/bank/deposits', { body: sameAgain, key: 'shared' });
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  test('given an order that was refused, when it is sent again with its key, then it is refused again though it could be done now', async () => {
    const { siteId, test: server, people } = town;
    const body = { siteId, lines: [{ productId: town.bread, quantity: 9_000 }] };
    const first = await town.call('customer', 'POST /api/orders', { body, key: 'too many' });
    expect(first.status).toBe(409);
    const batch = { siteId, productId: town.bread, quantity: 10_000 };
    await server.api.call('POST /api/production/batches', { token: people.staff.token, body: batch });
    const again = await town.call('customer', 'POST /api/orders', { body, key: 'too many' });
    expect([again.status, again.body]).toMatchObject([409, { type: '/problems/insufficient-stock' }]);
    expect(again.text).toBe(first.text);
  });

  test('given all of that, when the promises are checked, then every one holds', async () => {
    await expectEveryPromise(town.test);
  });
});

const IN_PROGRESS = '/problems/request-in-progress';
