import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttackedTown, CALLERS, openAttackedTown } from '../support/attacked-town.ts';
import { expectEveryPromise } from '../support/test-server.ts';
import { matrix } from './authorisation-matrix.ts';

let town: AttackedTown;
/** Every status that any route answered with, for the comparison with the documentation. */
const heard = new Map<string, Set<number>>();

beforeAll(async () => {
  town = await openAttackedTown();
});

afterAll(() => town.close());

describe('the authorisation matrix', () => {
  test('given the routes that the server lists, when they are compared with the matrix, then each has its rows', () => {
    expect(
      town
        .routes()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(matrix).sort());
  });

  test.for(Object.entries(matrix))(
    'given %s, when everybody calls it for each object, then each gets what the matrix says',
    { timeout: 60_000 },
    async ([name, rows]) => {
      const method = name.split(' ')[0];
      const seen: string[] = [];
      for (const [object, , request] of rows) {
        const statuses: number[] = [];
        for (const caller of CALLERS) {
          const { path, body } = await request(town);
          const answer = await town.call(caller, `${method} ${path}`, body === undefined ? {} : { body });
          statuses.push(answer.status);
          heard.set(name, (heard.get(name) ?? new Set()).add(answer.status));
          const isProblem = answer.status >= 400 && path.startsWith('/api/') && !path.startsWith('/api/oauth/');
          if (isProblem) expect(answer.headers['content-type']).toContain('application/problem+json');
        }
        seen.push(`${object}: ${statuses.join(' ')}`);
      }
      expect(seen).toEqual(rows.map(([object, statuses]) => `${object}: ${statuses}`));
    },
  );

  test('given all those answers, when they are looked up in the documentation, then every status of every route is there', async () => {
    type Documented = { paths: Record<string, Record<string, { responses: Record<string, unknown> }>> };
    const { paths } = (await town.call<Documented>('anonymous', 'GET /openapi.json')).body;
    const undocumented: string[] = [];
    for (const [name, statuses] of heard) {
      const [method = '', url = ''] = name.split(' ');
      if (!url.startsWith('/api/')) continue;
      const { responses } = paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] ?? { responses: {} };
      for (const status of statuses) if (!(`${status}` in responses)) undocumented.push(`${name}: ${status}`);
    }
    expect(undocumented).toEqual([]);
  });

  test('given lists, when a customer asks for all, for others, and by tricks, then there are only her own', async () => {
    const { neighbour, customer } = town.people;
    await town.freshOrder(neighbour);
    await town.freshOrder(customer);
    for (const query of ['', `?customerId=${neighbour.id}`, `?customerId=${customer.id}`, '?status=waiting']) {
      const answer = await town.call<{ items: { customerId: string }[] }>('customer', `GET /api/orders${query}`);
      expect(answer.body.items.filter(({ customerId }) => customerId !== customer.id)).toEqual([]);
    }
    const cost = await town.call<{ unitCost?: unknown }>('customer', `GET /api/products/${town.bread}`);
    expect(cost.body.unitCost).toBeUndefined();
    expect(
      (await town.call<{ unitCost?: unknown }>('staff', `GET /api/products/${town.bread}`)).body.unitCost,
    ).toBeDefined();
  });

  test('given path tricks, when somebody without rights tries them, then no guard is gone around', async () => {
    const tricks = [
      '/api/verify/',
      '//api/verify',
      '/api//verify',
      '/api/./verify',
      '/api/orders/../verify',
      '/api/%76erify',
      '/API/verify',
      '/api/verify;.json',
      '/api/verify%2f',
      '/api/verify?access=anyone',
      '/api/verify#/health/live',
    ];
    for (const path of tricks) {
      for (const caller of ['anonymous', 'customer'] as const) {
        const { status } = await town.call(caller, `GET ${path}`);
        expect([path, caller, [400, 401, 403, 404].includes(status)]).toEqual([path, caller, true]);
      }
    }
    for (const method of ['HEAD', 'TRACE', 'PROPFIND']) {
      const { status } = await town.call('anonymous', `${method} /api/verify`);
      expect([method, status >= 400]).toEqual([method, true]);
    }
    expect(await town.call('anonymous', 'OPTIONS /api/verify')).toMatchObject({ status: 204, text: '' });
    const overridden = await town.call('customer', 'GET /api/users', { headers: { 'x-http-method-override': 'POST' } });
    expect(overridden.status).toBe(403);
  });

  test('given all those calls, when the promises are checked, then every one holds', async () => {
    await expectEveryPromise(town.test);
  });
});
