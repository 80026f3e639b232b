import { type AttackedTown, MISSING_ID } from '../support/attacked-town.ts';
import { euro } from '../support/town.ts';
import {
  ANYONE,
  at,
  batchOf,
  MANAGER,
  missing,
  NOBODY_THERE,
  PEOPLE,
  type Row,
  STAFF,
  unique,
  type Wanted,
} from './matrix-rows.ts';
import { fleetRows } from './fleet-rows.ts';
import { notificationRows } from './notification-rows.ts';
import { outsideRows } from './outside-rows.ts';

const hours = { timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };

const documents: Readonly<Record<string, readonly Row[]>> = {
  'GET /health/live': [['all', ANYONE, at('/health/live')]],
  'GET /health/ready': [['all', ANYONE, at('/health/ready')]],
  'GET /metrics': [['all', ANYONE, at('/metrics')]],
  'GET /': [['all', ANYONE, at('/')]],
  'GET /openapi.json': [['all', ANYONE, at('/openapi.json')]],
  'GET /asyncapi.json': [['all', ANYONE, at('/asyncapi.json')]],
  'GET /.well-known/jwks.json': [['all', ANYONE, at('/.well-known/jwks.json')]],
  'GET /.well-known/oauth-authorization-server': [['all', ANYONE, at('/.well-known/oauth-authorization-server')]],
  // Forms, with errors of RFC 6749: identity's own tests attack them.
  'POST /api/oauth/token': [['all', '400 400 400 400 400', at('/api/oauth/token')]],
  'POST /api/oauth/revoke': [['all', '400 400 400 400 400', at('/api/oauth/revoke')]],
};

const identity: Readonly<Record<string, readonly Row[]>> = {
  'POST /api/users': [
    [
      'all',
      '201 201 201 201 201',
      () => {
        const body = { email: `${unique()}@test.example`, password: 'a pass phrase of some length', name: 'M' };
        return { path: '/api/users', body };
      },
    ],
  ],
  'GET /api/users/me': [['own', PEOPLE, at('/api/users/me')]],
  'GET /api/users/:id': [
    ['own', '401 200 404 200 403', ({ people }) => ({ path: `/api/users/${people.customer.id}` })],
    ['foreign', '401 404 404 200 403', ({ people }) => ({ path: `/api/users/${people.neighbour.id}` })],
    missing('/api/users/{id}', '401 404 404 404 403'),
  ],
  'GET /api/users': [['all', MANAGER, at('/api/users')]],
  'PUT /api/users/:id/roles': [
    ['foreign', MANAGER, ({ people }) => ({ path: `/api/users/${people.neighbour.id}/roles`, body: CUSTOMER })],
    ['own', MANAGER, ({ people }) => ({ path: `/api/users/${people.customer.id}/roles`, body: CUSTOMER })],
    missing('/api/users/{id}/roles', '401 403 403 404 403', { roles: ['manager'] }),
  ],
};

const CUSTOMER = { roles: ['customer'] };

const sites: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/sites': [['all', ANYONE, at('/api/sites')]],
  'GET /api/sites/:id': [
    ['own', ANYONE, ({ siteId }) => ({ path: `/api/sites/${siteId}` })],
    missing('/api/sites/{id}', NOBODY_THERE),
  ],
  'POST /api/sites': [
    [
      'all',
      '401 403 403 201 403',
      () => ({ path: '/api/sites', body: { name: 'M', kind: 'shop', currency: 'EUR', ...hours } }),
    ],
  ],
  'PATCH /api/sites/:id': [
    ['own', MANAGER, ({ siteId }) => ({ path: `/api/sites/${siteId}`, body: { name: 'Renamed' } })],
    missing('/api/sites/{id}', '401 403 403 404 403', { name: 'Renamed' }),
  ],
  'GET /api/menu': [
    ['own', ANYONE, ({ siteId }) => ({ path: `/api/menu?siteId=${siteId}` })],
    missing('/api/menu?siteId={id}', NOBODY_THERE),
  ],
};

const draft = () => ({ sku: unique(), name: 'M', category: 'M', price: euro(1), stock: 'made-to-order' });
const variation = { name: 'Small', priceDelta: euro(-10) };

const products: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/products': [['all', ANYONE, at('/api/products')]],
  'GET /api/products/:id': [
    ['own', ANYONE, ({ bread }) => ({ path: `/api/products/${bread}` })],
    ['deleted', NOBODY_THERE, ({ withdrawnProduct }) => ({ path: `/api/products/${withdrawnProduct}` })],
    missing('/api/products/{id}', NOBODY_THERE),
  ],
  'POST /api/products': [['all', '401 403 403 201 403', () => ({ path: '/api/products', body: draft() })]],
  'PATCH /api/products/:id': [
    ['own', MANAGER, ({ bread }) => ({ path: `/api/products/${bread}`, body: { price: euro(390) } })],
    [
      'deleted',
      '401 403 403 404 403',
      ({ withdrawnProduct }) => ({ path: `/api/products/${withdrawnProduct}`, body: { price: euro(1) } }),
    ],
    missing('/api/products/{id}', '401 403 403 404 403', { price: euro(1) }),
  ],
  'DELETE /api/products/:id': [
    ['own', '401 403 403 204 403', async (town) => ({ path: `/api/products/${await town.freshProduct()}` })],
    ['deleted', '401 403 403 404 403', ({ withdrawnProduct }) => ({ path: `/api/products/${withdrawnProduct}` })],
    missing('/api/products/{id}', '401 403 403 404 403'),
  ],
  'POST /api/products/:id/variations': [
    ['own', '401 403 403 201 403', ({ coffee }) => ({ path: `/api/products/${coffee}/variations`, body: variation })],
    [
      'deleted',
      '401 403 403 404 403',
      ({ withdrawnProduct }) => ({ path: `/api/products/${withdrawnProduct}/variations`, body: variation }),
    ],
    missing('/api/products/{id}/variations', '401 403 403 404 403', variation),
  ],
  'PATCH /api/products/:id/variations/:variationId': [
    ['own', MANAGER, (town) => ({ path: pathOfVariation(town, town.coffee), body: { name: 'Tall' } })],
    ['foreign', '401 403 403 404 403', (town) => ({ path: pathOfVariation(town, town.bread), body: { name: 'Tall' } })],
    [
      'missing',
      '401 403 403 404 403',
      ({ coffee }) => ({ path: `/api/products/${coffee}/variations/${MISSING_ID}`, body: { name: 'Tall' } }),
    ],
  ],
  'DELETE /api/products/:id/variations/:variationId': [
    [
      'own',
      '401 403 403 204 403',
      async (town) => ({ path: `/api/products/${town.coffee}/variations/${await town.freshVariation()}` }),
    ],
    ['foreign', '401 403 403 404 403', (town) => ({ path: pathOfVariation(town, town.bread) })],
    ['missing', '401 403 403 404 403', ({ coffee }) => ({ path: `/api/products/${coffee}/variations/${MISSING_ID}` })],
  ],
};

function pathOfVariation({ variationId }: AttackedTown, productId: string): string {
  return `/api/products/${productId}/variations/${variationId}`;
}

const production: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/production/schedules': [['all', MANAGER, at('/api/production/schedules')]],
  'GET /api/production/schedules/:id': [
    ['own', MANAGER, ({ scheduleId }) => ({ path: `/api/production/schedules/${scheduleId}` })],
    ['deleted', '401 403 403 404 403', ({ endedSchedule }) => ({ path: `/api/production/schedules/${endedSchedule}` })],
    missing('/api/production/schedules/{id}', '401 403 403 404 403'),
  ],
  'POST /api/production/schedules': [
    [
      'own',
      '401 403 403 201 403',
      ({ siteId, bread }) => {
        return { path: '/api/production/schedules', body: { siteId, productId: bread, every: 'PT12H', quantity: 1 } };
      },
    ],
    [
      'missing',
      '401 403 403 404 403',
      ({ bread }) => {
        const body = { siteId: MISSING_ID, productId: bread, every: 'PT12H', quantity: 1 };
        return { path: '/api/production/schedules', body };
      },
    ],
  ],
  'PATCH /api/production/schedules/:id': [
    ['own', MANAGER, ({ scheduleId }) => ({ path: `/api/production/schedules/${scheduleId}`, body: { quantity: 2 } })],
    [
      'deleted',
      '401 403 403 404 403',
      ({ endedSchedule }) => ({ path: `/api/production/schedules/${endedSchedule}`, body: { quantity: 2 } }),
    ],
    missing('/api/production/schedules/{id}', '401 403 403 404 403', { quantity: 2 }),
  ],
  'DELETE /api/production/schedules/:id': [
    [
      'own',
      '401 403 403 204 403',
      async (town) => ({ path: `/api/production/schedules/${await town.freshSchedule()}` }),
    ],
    ['deleted', '401 403 403 404 403', ({ endedSchedule }) => ({ path: `/api/production/schedules/${endedSchedule}` })],
    missing('/api/production/schedules/{id}', '401 403 403 404 403'),
  ],
  'GET /api/production/batches': [['all', STAFF, at('/api/production/batches')]],
  'POST /api/production/batches': [
    ['own', '401 403 201 201 403', ({ siteId, bread }) => batchOf('production/batches', siteId, bread)],
    ['missing', '401 403 404 404 403', ({ siteId }) => batchOf('production/batches', siteId, MISSING_ID)],
    [
      'deleted',
      '401 403 404 404 403',
      ({ siteId, withdrawnProduct }) => batchOf('production/batches', siteId, withdrawnProduct),
    ],
  ],
};

const inventory: Readonly<Record<string, readonly Row[]>> = {
  'POST /api/inventory/receipts': [
    ['own', '401 403 201 201 403', ({ siteId, bread }) => batchOf('inventory/receipts', siteId, bread)],
    ['missing', '401 403 404 404 403', ({ bread }) => batchOf('inventory/receipts', MISSING_ID, bread)],
    [
      'deleted',
      '401 403 404 404 403',
      ({ siteId, withdrawnProduct }) => batchOf('inventory/receipts', siteId, withdrawnProduct),
    ],
  ],
  'GET /api/inventory/stock': [
    ['own', STAFF, ({ siteId }) => ({ path: `/api/inventory/stock?siteId=${siteId}` })],
    missing('/api/inventory/stock?siteId={id}', '401 403 404 404 403'),
  ],
  'GET /api/inventory/units': [['all', STAFF, at('/api/inventory/units')]],
  'GET /api/inventory/units/:id': [
    ['own', STAFF, ({ unitId }) => ({ path: `/api/inventory/units/${unitId}` })],
    missing('/api/inventory/units/{id}', '401 403 404 404 403'),
  ],
  'POST /api/inventory/sweeps': [
    ['own', MANAGER, ({ siteId }) => ({ path: '/api/inventory/sweeps', body: { siteId, kind: 'stale' } })],
    [
      'missing',
      '401 403 403 404 403',
      () => ({ path: '/api/inventory/sweeps', body: { siteId: MISSING_ID, kind: 'closing' } }),
    ],
  ],
  'POST /api/inventory/waste': [
    ['own', STAFF, async (town) => wasteOf(await town.freshUnit())],
    ['foreign', '401 403 409 409 403', ({ soldUnit }) => wasteOf(soldUnit)],
    ['missing', '401 403 404 404 403', () => wasteOf(MISSING_ID)],
  ],
  'GET /api/inventory/waste': [
    ['own', STAFF, ({ siteId }) => ({ path: `/api/inventory/waste?siteId=${siteId}` })],
    missing('/api/inventory/waste?siteId={id}', '401 403 404 404 403'),
  ],
};

function wasteOf(unitId: string): Wanted {
  return { path: '/api/inventory/waste', body: { unitIds: [unitId], reason: 'damaged' } };
}

const orders: Readonly<Record<string, readonly Row[]>> = {
  'POST /api/orders': [
    [
      'own',
      // Staff has an account, and no money on it.
      '401 201 402 402 403',
      ({ siteId, coffee }) => ({ path: '/api/orders', body: { siteId, lines: [{ productId: coffee, quantity: 1 }] } }),
    ],
    [
      'missing',
      '401 404 404 404 403',
      ({ coffee }) => {
        return { path: '/api/orders', body: { siteId: MISSING_ID, lines: [{ productId: coffee, quantity: 1 }] } };
      },
    ],
    [
      'deleted',
      '401 409 409 409 403',
      ({ siteId, withdrawnProduct }) => {
        return { path: '/api/orders', body: { siteId, lines: [{ productId: withdrawnProduct, quantity: 1 }] } };
      },
    ],
    // Somebody else's account pays only where staff says so.
    [
      'foreign',
      '401 403 201 201 403',
      ({ siteId, coffee, people }) => {
        const tender = { kind: 'account', customerId: people.neighbour.id };
        const lines = [{ productId: coffee, quantity: 1 }];
        return { path: '/api/orders', body: { siteId, lines, channel: 'counter', tender } };
      },
    ],
  ],
  'GET /api/orders/:id': [
    ['own', PEOPLE, async (town) => ({ path: `/api/orders/${await town.freshOrder()}` })],
    ['foreign', '401 404 200 200 403', async (town) => ({ path: `/api/orders/${await foreignOrder(town)}` })],
    missing('/api/orders/{id}', '401 404 404 404 403'),
  ],
  'GET /api/orders': [
    ['all', PEOPLE, at('/api/orders')],
    ['foreign', PEOPLE, ({ people }) => ({ path: `/api/orders?customerId=${people.neighbour.id}` })],
  ],
  'PATCH /api/orders/:id': [
    [
      'own',
      STAFF,
      async (town) => ({ path: `/api/orders/${await town.freshOrder()}`, body: { status: 'preparation' } }),
    ],
    missing('/api/orders/{id}', '401 403 404 404 403', { status: 'preparation' }),
  ],
  'POST /api/orders/:id/cancel': [
    ['own', PEOPLE, async (town) => ({ path: `/api/orders/${await town.freshOrder()}/cancel` })],
    ['foreign', '401 404 200 200 403', async (town) => ({ path: `/api/orders/${await foreignOrder(town)}/cancel` })],
    missing('/api/orders/{id}/cancel', '401 404 404 404 403'),
  ],
};

function foreignOrder(town: AttackedTown): Promise<string> {
  return town.freshOrder(town.people.neighbour);
}

const bank: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/bank/accounts/me': [['own', PEOPLE, at('/api/bank/accounts/me')]],
  'GET /api/bank/accounts/me/entries': [['own', PEOPLE, at('/api/bank/accounts/me/entries')]],
  'GET /api/bank/accounts/:id': [
    ['own', '401 200 404 200 403', ({ people }) => ({ path: `/api/bank/accounts/${people.customer.id}` })],
    ['foreign', '401 404 404 200 403', ({ people }) => ({ path: `/api/bank/accounts/${people.neighbour.id}` })],
    missing('/api/bank/accounts/{id}', '401 404 404 404 403'),
  ],
  'POST /api/bank/deposits': [
    ['own', '401 403 403 201 403', () => ({ path: '/api/bank/deposits', body: { amount: euro(1) } })],
    [
      'foreign',
      '401 404 404 201 403',
      ({ people }) => ({ path: '/api/bank/deposits', body: { amount: euro(1), accountId: people.neighbour.id } }),
    ],
    [
      'missing',
      '401 404 404 404 403',
      () => ({ path: '/api/bank/deposits', body: { amount: euro(1), accountId: MISSING_ID } }),
    ],
  ],
  'GET /api/bank/takings': [['own', STAFF, ({ siteId }) => ({ path: `/api/bank/takings?siteId=${siteId}` })]],
};

const operations: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/events/consumers': [['all', MANAGER, at('/api/events/consumers')]],
  'GET /api/events/parked': [['all', MANAGER, at('/api/events/parked')]],
  'POST /api/events/parked/:id/retry': [missing('/api/events/parked/{id}/retry', '401 403 403 404 403')],
  'POST /api/events/parked/:id/drop': [missing('/api/events/parked/{id}/drop', '401 403 403 404 403')],
  'GET /api/verify': [['all', MANAGER, at('/api/verify')]],
};

/** Every route with what each caller gets for each kind of object. A route that is not in here fails the test. */
export const matrix: Readonly<Record<string, readonly Row[]>> = {
  ...documents,
  ...identity,
  ...sites,
  ...products,
  ...production,
  ...inventory,
  ...orders,
  ...outsideRows,
  ...fleetRows,
  ...notificationRows,
  ...bank,
  ...operations,
};
