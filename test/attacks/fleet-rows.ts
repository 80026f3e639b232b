import { type AttackedTown, type CallerName, MISSING_ID } from '../support/attacked-town.ts';
import { at, missing, type Row } from './matrix-rows.ts';

const SIGNED_IN = '401 200 200 200 200';
const SIGNED_IN_MISSING = '401 404 404 404 404';
const MANAGER_MISSING = '401 403 403 404 403';

/** A machine that waits for a choice of whoever this is, and the session on it. */
export async function startedWork(town: AttackedTown, as: CallerName) {
  const machineId = await town.freshMachine();
  const started = await town.call<{ session: { id: string } }>(as, 'POST /api/orchestrator/start-work', {
    body: { machineId },
  });
  if (started.status !== 200) throw new Error(`The orchestrator answered ${started.status}: ${started.text}`);
  return { machineId, sessionId: started.body.session.id };
}

export const slotOf = (productId: string) => ({ slot: 'A1', productId, capacity: 8, parLevel: 4 });

/** Machines: everybody who is signed in sees them, managers change them, whoever began sees a session. */
export const fleetRows: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/vending-machines': [['all', SIGNED_IN, at('/api/vending-machines')]],
  'GET /api/vending-machines/:id': [
    ['own', SIGNED_IN, async (town) => ({ path: `/api/vending-machines/${await town.freshMachine()}` })],
    missing('/api/vending-machines/{id}', SIGNED_IN_MISSING),
  ],
  'GET /api/vending-machines/:id/products': [
    ['own', SIGNED_IN, async (town) => ({ path: `/api/vending-machines/${await town.freshMachine()}/products` })],
    missing('/api/vending-machines/{id}/products', SIGNED_IN_MISSING),
  ],
  'POST /api/vending-machines/register': [
    ['all', '401 403 403 201 403', ({ siteId }) => registered(siteId)],
    ['missing', MANAGER_MISSING, () => registered(MISSING_ID)],
    ['deleted', MANAGER_MISSING, ({ siteId, withdrawnProduct }) => registered(siteId, [slotOf(withdrawnProduct)])],
  ],
  'POST /api/vending-machines/:id/credentials': [
    [
      'own',
      '401 403 403 201 403',
      async (town) => ({ path: `/api/vending-machines/${await town.freshMachine()}/credentials` }),
    ],
    missing('/api/vending-machines/{id}/credentials', MANAGER_MISSING),
  ],
  'DELETE /api/vending-machines/:id/credentials': [
    [
      'own',
      '401 403 403 204 403',
      async (town) => ({ path: `/api/vending-machines/${await town.freshMachine()}/credentials` }),
    ],
    missing('/api/vending-machines/{id}/credentials', MANAGER_MISSING),
  ],
  'PUT /api/vending-machines/:id/products': [
    [
      'own',
      '401 403 403 200 403',
      async (town) => {
        const path = `/api/vending-machines/${await town.freshMachine()}/products`;
        return { path, body: { slots: [slotOf(town.bread)] } };
      },
    ],
    missing('/api/vending-machines/{id}/products', MANAGER_MISSING, { slots: [] }),
  ],
  'POST /api/vending-machines/:id/reset': [
    [
      'own',
      '401 403 200 200 403',
      async (town) => ({ path: `/api/vending-machines/${(await startedWork(town, 'customer')).machineId}/reset` }),
    ],
    missing('/api/vending-machines/{id}/reset', '401 403 404 404 403'),
  ],
  'POST /api/orchestrator/start-work': [
    // A machine works for itself alone.
    [
      'own',
      '401 200 200 200 403',
      async (town) => ({ path: '/api/orchestrator/start-work', body: { machineId: await town.freshMachine() } }),
    ],
    missing('/api/orchestrator/start-work', SIGNED_IN_MISSING, { machineId: MISSING_ID }),
    ['missing', SIGNED_IN_MISSING, () => ({ path: '/api/orchestrator/start-work', body: { siteId: MISSING_ID } })],
  ],
  'GET /api/vending-sessions/:id': [
    ['own', '401 200 200 200 404', (town) => sessionBy(town, 'customer')],
    ['foreign', '401 404 200 200 404', (town) => sessionBy(town, 'staff')],
    missing('/api/vending-sessions/{id}', SIGNED_IN_MISSING),
  ],
};

function registered(siteId: string, slots: readonly object[] = []) {
  return { path: '/api/vending-machines/register', body: { name: 'Attacked', siteId, slots } };
}

async function sessionBy(town: AttackedTown, as: CallerName) {
  return { path: `/api/vending-sessions/${(await startedWork(town, as)).sessionId}` };
}
