import { NOTICE_KINDS } from '@provender/contracts';
import { type AttackedTown, type CallerName, MISSING_ID } from '../support/attacked-town.ts';
import { euro } from '../support/town.ts';
import { slotOf, startedWork } from './fleet-rows.ts';
import { unique } from './matrix-rows.ts';
import { freshWebhook, webhookDraft, webhookOf } from './notification-rows.ts';

/** A request that is right in all its parts, for an attack to change one of them. */
export type ValidRequest = {
  readonly as: CallerName;
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
};

type MakeRequest = (town: AttackedTown) => Promise<ValidRequest> | ValidRequest;

const manager = 'manager';
const staff = 'staff';
const customer = 'customer';

const sale = ({ siteId, coffee }: AttackedTown) => ({
  siteId,
  lines: [{ productId: coffee, quantity: 2 }],
  channel: 'counter',
});

/** For every route that changes something, one right request of each kind that it takes, with all members that fit. */
export const validRequests: Readonly<Record<string, readonly MakeRequest[]>> = {
  'POST /api/users': [
    () => {
      const body = { email: `${unique()}@test.example`, password: 'a pass phrase of some length', name: 'Valid' };
      return { as: 'anonymous', path: '/api/users', body };
    },
  ],
  'PUT /api/users/:id/roles': [
    ({ people }) => ({ as: manager, path: `/api/users/${people.neighbour.id}/roles`, body: { roles: ['customer'] } }),
  ],
  'POST /api/sites': [() => ({ as: manager, path: '/api/sites', body: siteDraft })],
  'PATCH /api/sites/:id': [
    async (town) => {
      const made = await town.call<{ id: string }>(manager, 'POST /api/sites', { body: siteDraft });
      return { as: manager, path: `/api/sites/${made.body.id}`, body: { ...siteDraft, name: 'Renamed' } };
    },
  ],
  'POST /api/products': [
    () => ({
      as: manager,
      path: '/api/products',
      body: { ...unitProduct(), variations: [{ name: 'Small', priceDelta: euro(-10) }] },
    }),
  ],
  'PATCH /api/products/:id': [
    async (town) => {
      const made = await town.call<{ id: string }>(manager, 'POST /api/products', { body: unitProduct() });
      return { as: manager, path: `/api/products/${made.body.id}`, body: unitProduct() };
    },
  ],
  'DELETE /api/products/:id': [async (town) => ({ as: manager, path: `/api/products/${await town.freshProduct()}` })],
  'POST /api/products/:id/variations': [
    async (town) => ({
      as: manager,
      path: `/api/products/${await town.freshProduct()}/variations`,
      body: { name: 'Large', priceDelta: euro(50) },
    }),
  ],
  'PATCH /api/products/:id/variations/:variationId': [
    ({ coffee, variationId }) => ({
      as: manager,
      path: `/api/products/${coffee}/variations/${variationId}`,
      body: { name: 'Tall', priceDelta: euro(55) },
    }),
  ],
  'DELETE /api/products/:id/variations/:variationId': [
    async (town) => ({
      as: manager,
      path: `/api/products/${town.coffee}/variations/${await town.freshVariation()}`,
    }),
  ],
  'POST /api/production/schedules': [
    ({ siteId, bread }) => ({
      as: manager,
      path: '/api/production/schedules',
      body: { siteId, productId: bread, every: 'PT12H', quantity: 3 },
    }),
  ],
  'PATCH /api/production/schedules/:id': [
    ({ scheduleId }) => ({
      as: manager,
      path: `/api/production/schedules/${scheduleId}`,
      body: { every: 'PT11H', quantity: 4 },
    }),
  ],
  'DELETE /api/production/schedules/:id': [
    async (town) => ({ as: manager, path: `/api/production/schedules/${await town.freshSchedule()}` }),
  ],
  'POST /api/production/batches': [
    ({ siteId, bread }) => ({
      as: staff,
      path: '/api/production/batches',
      body: { siteId, productId: bread, quantity: 2 },
    }),
  ],
  'POST /api/inventory/receipts': [
    ({ siteId, bread }) => ({
      as: staff,
      path: '/api/inventory/receipts',
      body: { siteId, productId: bread, quantity: 2, madeAt: '2026-11-21T07:00:00.000Z', unitCost: euro(120) },
    }),
  ],
  'POST /api/inventory/sweeps': [
    ({ siteId }) => ({ as: manager, path: '/api/inventory/sweeps', body: { siteId, kind: 'stale' } }),
  ],
  'POST /api/inventory/waste': [
    async (town) => ({
      as: staff,
      path: '/api/inventory/waste',
      body: { unitIds: [await town.freshUnit()], reason: 'damaged' },
    }),
  ],
  'POST /api/warehouses/sync': [() => ({ as: manager, path: '/api/warehouses/sync' })],
  'POST /api/warehouses/:id/transfers': [
    ({ warehouseId, siteId, bread }) => ({
      as: staff,
      path: `/api/warehouses/${warehouseId}/transfers`,
      body: { siteId, productId: bread, quantity: 2, madeAt: '2026-11-21T07:00:00.000Z' },
    }),
  ],
  'POST /api/partner-orders/import': [() => ({ as: manager, path: '/api/partner-orders/import' })],
  'POST /api/partner-orders/process-all': [() => ({ as: manager, path: '/api/partner-orders/process-all' })],
  'POST /api/partner-orders/:id/process': [
    ({ partnerOrderId }) => ({ as: manager, path: `/api/partner-orders/${partnerOrderId}/process` }),
  ],
  'POST /api/partner-orders/reset': [() => ({ as: manager, path: '/api/partner-orders/reset' })],
  'POST /api/orders': [
    ({ siteId, coffee, variationId }) => ({
      as: customer,
      path: '/api/orders',
      body: { siteId, lines: [{ productId: coffee, variationId, quantity: 2 }], note: 'Not too hot, please.' },
    }),
    (town) => ({
      as: staff,
      path: '/api/orders',
      body: { ...sale(town), tender: { kind: 'cash', received: euro(9_999_999) } },
    }),
    (town) => ({
      as: staff,
      path: '/api/orders',
      body: { ...sale(town), tender: { kind: 'account', customerId: town.people.neighbour.id } },
    }),
  ],
  'PATCH /api/orders/:id': [
    async (town) => ({
      as: staff,
      path: `/api/orders/${await town.freshOrder()}`,
      body: { status: 'preparation' },
    }),
  ],
  'POST /api/orders/:id/cancel': [
    async (town) => ({ as: customer, path: `/api/orders/${await town.freshOrder()}/cancel` }),
  ],
  'POST /api/bank/deposits': [
    ({ people }) => ({
      as: manager,
      path: '/api/bank/deposits',
      body: { amount: euro(100), accountId: people.customer.id },
    }),
  ],
  'PUT /api/notifications/preferences': [
    () => ({
      as: customer,
      path: '/api/notifications/preferences',
      body: { email: everyKind, webhook: everyKind, wasteLimit: euro(2_000) },
    }),
  ],
  'POST /api/webhooks': [() => ({ as: manager, path: '/api/webhooks', body: webhookDraft })],
  'PATCH /api/webhooks/:id': [
    async (town) => ({
      as: manager,
      path: `/api/webhooks/${await webhookOf(town)}`,
      body: { kinds: ['waste-limit-passed'], description: 'Valid', enabled: true },
    }),
  ],
  'DELETE /api/webhooks/:id': [async (town) => ({ as: manager, path: `/api/webhooks/${await freshWebhook(town)}` })],
  'POST /api/webhooks/:id/replay': [
    async (town) => ({
      as: manager,
      path: `/api/webhooks/${await webhookOf(town)}/replay`,
      body: { from: '2026-11-21T00:00:00.000Z', to: '2026-11-22T00:00:00.000Z' },
    }),
  ],
  'POST /api/vending-machines/register': [
    ({ siteId, bread }) => ({
      as: manager,
      path: '/api/vending-machines/register',
      body: {
        name: 'Valid',
        siteId,
        stock: 'own',
        slots: [{ ...slotOf(bread), price: euro(300), cashPrice: euro(310) }],
      },
    }),
  ],
  'POST /api/vending-machines/:id/credentials': [
    async (town) => ({ as: manager, path: `/api/vending-machines/${await town.freshMachine()}/credentials` }),
  ],
  'DELETE /api/vending-machines/:id/credentials': [
    async (town) => ({ as: manager, path: `/api/vending-machines/${await town.freshMachine()}/credentials` }),
  ],
  'PUT /api/vending-machines/:id/products': [
    async (town) => ({
      as: manager,
      path: `/api/vending-machines/${await town.freshMachine()}/products`,
      body: { slots: [{ ...slotOf(town.bread), price: euro(300), cashPrice: euro(310) }] },
    }),
  ],
  'POST /api/vending-machines/:id/reset': [
    async (town) => ({
      as: staff,
      path: `/api/vending-machines/${(await startedWork(town, customer)).machineId}/reset`,
    }),
  ],
  'POST /api/orchestrator/start-work': [
    async (town) => {
      const body = { siteId: town.siteId, machineId: await town.freshMachine() };
      return { as: customer, path: '/api/orchestrator/start-work', body };
    },
  ],
  // Nothing is parked in this town: these are right in form, and find nothing.
  'POST /api/events/parked/:id/retry': [() => ({ as: manager, path: `/api/events/parked/${MISSING_ID}/retry` })],
  'POST /api/events/parked/:id/drop': [() => ({ as: manager, path: `/api/events/parked/${MISSING_ID}/drop` })],
};

/** Routes that take forms and answer by RFC 6749: identity's own tests attack them. */
export const FORM_ROUTES = ['POST /api/oauth/token', 'POST /api/oauth/revoke'];

const everyKind = Object.fromEntries(NOTICE_KINDS.map((kind) => [kind, true]));

const siteDraft = {
  name: 'A valid shop',
  kind: 'shop',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  currency: 'EUR',
  freeVend: false,
};

const unitProduct = () => ({
  sku: unique(),
  name: 'Valid',
  category: 'Valid',
  description: 'Right in all its parts.',
  price: euro(100),
  unitCost: euro(40),
  stock: 'unit',
  shelfLife: 'PT8H',
  keepsOvernight: false,
  closingDiscountPercent: 20,
});
