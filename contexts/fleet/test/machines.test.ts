// Needs PostgreSQL, which every run of the tests has.
import type { MachineView, PlanogramView } from '@provender/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineOf, openPool, type Pool, register, UNKNOWN, withdrawn } from './pool.ts';

const manager = { as: 'manager' } as const;

let pool: Pool;
beforeAll(async () => {
  pool = await openPool();
});
afterAll(() => pool.close());

function define(machineId: string, slots: readonly object[]) {
  return pool.http.call<PlanogramView>(`PUT /api/vending-machines/${machineId}/products`, {
    ...manager,
    body: { slots },
  });
}

describe('machines', () => {
  test('given a manager, when a machine is registered, then it is idle, listed and read as it was asked for', async () => {
    const { machine, clientSecret } = await register(pool, { name: 'By the lift', stock: 'own' });
    expect(machine).toMatchObject({
      ...{ name: 'By the lift', siteId: pool.siteId, stock: 'own', status: 'idle', usageCount: 0, online: true },
      ...{ createdAt: '2026-11-21T08:00:00.000Z', updatedAt: '2026-11-21T08:00:00.000Z' },
    });
    expect(await machineOf(pool, machine.id)).toEqual(machine);
    const list = await pool.http.call<{ items: MachineView[] }>(`GET /api/vending-machines?siteId=${pool.siteId}`, {
      as: 'customer',
    });
    expect(list.body.items).toContainEqual(machine);
    const other = await pool.http.call<{ items: MachineView[] }>(
      `GET /api/vending-machines?siteId=${pool.elsewhere}`,
      manager,
    );
    expect(other.body.items).toEqual([]);
    // The secret is nowhere but in the answer: the log has its hash.
    expect(JSON.stringify(await pool.test.said())).not.toContain(clientSecret);
    expect(JSON.stringify(await pool.test.sql('SELECT * FROM fleet.machines'))).not.toContain(clientSecret);
  });

  test('given a site that is not known, when a machine is registered, then it is refused', async () => {
    const body = { name: 'Nowhere', siteId: UNKNOWN };
    const answer = await pool.http.call('POST /api/vending-machines/register', { ...manager, body });
    expect(answer.status).toBe(404);
    expect((await pool.http.call(`GET /api/vending-machines/${UNKNOWN}`, manager)).status).toBe(404);
  });

  test('given credentials, when they are rotated and revoked, then each is said with what it ends', async () => {
    const { machine, clientId } = await register(pool);
    const credentials = `/api/vending-machines/${machine.id}/credentials`;
    const rotated = await pool.http.call<{ clientId: string }>(`POST ${credentials}`, manager);
    expect(rotated.status).toBe(201);
    expect((await pool.http.call(`DELETE ${credentials}`, manager)).status).toBe(204);
    expect((await pool.http.call(`DELETE ${credentials}`, manager)).status).toBe(404);
    expect((await pool.http.call(`POST ${credentials}`, manager)).status).toBe(201);
    const said = (await pool.test.said()).filter(({ subject }) => subject === machine.id);
    const next = rotated.body.clientId;
    expect(said.map(({ type, data }) => [type.split('.')[1], data])).toMatchObject([
      ['machine-registered', {}],
      ['machine-credentials-issued', { clientId }],
      ['machine-credentials-issued', { clientId: next, replaces: clientId }],
      ['machine-credentials-revoked', { clientId: next }],
      ['machine-credentials-issued', { machineId: machine.id }],
    ]);
    expect(said[4]?.data).not.toHaveProperty('replaces');
  });
});

describe('planograms', () => {
  test('given a planogram, when another is defined, then it is the next version and the first one stays', async () => {
    const { machine } = await register(pool, { slots: [{ slot: 'A1', productId: pool.barId, capacity: 8 }] });
    const slot = { slot: 'B2', productId: pool.barId, capacity: 10, parLevel: 4 };
    const price = { amount: 210, currency: 'EUR' };
    const defined = await define(machine.id, [{ ...slot, price, cashPrice: price }]);
    expect(defined.status).toBe(200);
    expect(defined.body).toEqual({ machineId: machine.id, version: 2, slots: [{ ...slot, price, cashPrice: price }] });
    const seen = await pool.http.call(`GET /api/vending-machines/${machine.id}/products`, { as: 'customer' });
    expect(seen.body).toEqual(defined.body);
    const slots = await pool.test.sql(
      'SELECT version, slot FROM fleet.planned_slots WHERE machine_id = $1 ORDER BY version',
      [machine.id],
    );
    expect(slots).toEqual([
      { version: 1, slot: 'A1' },
      { version: 2, slot: 'B2' },
    ]);
  });

  test('given slots that cannot be so, when they are defined, then each fault is named and nothing changes', async () => {
    const { machine } = await register(pool);
    const slot = { slot: 'A1', productId: pool.barId, capacity: 8 };
    const dollars = { amount: 200, currency: 'USD' };
    const answer = await define(machine.id, [slot, { ...slot, parLevel: 9, price: dollars }]);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      errors: [{ pointer: '/slots/1/slot' }, { pointer: '/slots/1/parLevel' }, { pointer: '/slots/1/price/currency' }],
    });
    const seen = await pool.http.call(`GET /api/vending-machines/${machine.id}/products`, manager);
    expect(seen.body).toEqual({ machineId: machine.id, version: 0, slots: [] });
  });

  test('given a product that is unknown or withdrawn, when it is planned, then it is refused', async () => {
    const { machine } = await register(pool);
    expect((await define(machine.id, [{ slot: 'A1', productId: UNKNOWN, capacity: 8 }])).status).toBe(404);
    await pool.test.hear([withdrawn(pool.barId)]);
    expect((await define(machine.id, [{ slot: 'A1', productId: pool.barId, capacity: 8 }])).status).toBe(404);
  });
});
