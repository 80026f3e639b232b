import { openStandInSource, type RouteListed } from '@provender/platform';
import type { ApiAnswer, ApiCall } from './api.ts';
import { startTestServer, type TestServer } from './test-server.ts';
import {
  addPeople,
  addPersons,
  bake,
  defineProduct,
  euro,
  made,
  openSite,
  order,
  payIn,
  type People,
  type Person,
  unitsOf,
} from './town.ts';

/** Everybody who may knock. `machine` is a vending machine's own credentials. */
export const CALLERS = ['anonymous', 'customer', 'staff', 'manager', 'machine'] as const;
export type CallerName = (typeof CALLERS)[number];

/** What a request may name: an object of one's own, of somebody else, one that never was, one that is gone. */
export type AttackedTown = {
  readonly test: TestServer;
  readonly people: People;
  readonly tokens: Readonly<Record<CallerName, string | undefined>>;
  readonly siteId: string;
  readonly bread: string;
  readonly coffee: string;
  readonly variationId: string;
  readonly withdrawnProduct: string;
  readonly scheduleId: string;
  readonly endedSchedule: string;
  readonly unitId: string;
  readonly soldUnit: string;
  readonly unpaid: Person;
  /** A warehouse that has the bread, without end. */
  readonly warehouseId: string;
  readonly partnerOrderId: string;
  readonly partnerRunId: string;
  /** A new order of the customer that waits to be made. */
  freshOrder(buyer?: Person): Promise<string>;
  freshProduct(): Promise<string>;
  freshSchedule(): Promise<string>;
  freshVariation(): Promise<string>;
  freshUnit(): Promise<string>;
  /** An idle machine. */
  freshMachine(): Promise<string>;
  call<Body = Record<string, unknown>>(as: CallerName, line: string, options?: ApiCall): Promise<ApiAnswer<Body>>;
  /** Routes as the server lists them: `POST /api/orders`. */
  routes(): readonly (RouteListed & { readonly name: string })[];
  /** How many events there are, in all logs: what changed nothing has said nothing. */
  eventsSaid(): Promise<number>;
  close(): Promise<void>;
};

export const MISSING_ID = '019a0000-0000-7000-8000-00000000dead';

const MUCH_MONEY = 900_000_000;

const BREAD_SKU = 'ATTACKED-BREAD';
const MUCH_BREAD = { sku: BREAD_SKU, name: 'Wheat loaf', quantity: 1_000_000_000 };
/** What the outside sources of the town say. */
const OUTSIDE = {
  '/warehouses': { warehouses: [{ id: 'w1', name: 'North', items: [MUCH_BREAD] }] },
  '/orders': { orders: [{ number: '1', items: [{ sku: BREAD_SKU, quantity: 2 }] }] },
};

/** A town with one of everything, for the tests that try to break in. */
export async function openAttackedTown(env: Readonly<Record<string, string>> = {}): Promise<AttackedTown> {
  const outside = await openStandInSource(OUTSIDE);
  const urls = { WAREHOUSE_URL: outside.url('/warehouses'), PARTNER_ORDERS_URL: outside.url('/orders') };
  const test = await startTestServer({ env: { ...urls, ...env } });
  const people = await addPeople(test);
  const { manager, staff, customer, neighbour } = people;
  const [unpaid] = await addPersons(test, [['unpaid@test.example', ['customer']]]);
  await payIn(test, manager, customer.id, MUCH_MONEY);
  await payIn(test, manager, neighbour.id, MUCH_MONEY);
  const siteId = await openSite(test, manager, { opensAt: '00:00', closesAt: '24:00' });
  const bread = await defineProduct(test, manager, { sku: BREAD_SKU, shelfLife: 'P9D', keepsOvernight: true });
  const drink = { name: 'Coffee', stock: 'made-to-order' } as const;
  const coffee = await defineProduct(test, manager, drink);
  await bake(test, staff, { siteId, productId: bread, quantity: 500 });

  const freshVariation = async () => {
    const body = { name: 'Large', priceDelta: euro(60) };
    return (await made(test, `POST /api/products/${coffee}/variations`, { token: manager.token, body })).id;
  };
  const freshSchedule = async () => {
    const body = { siteId, productId: bread, every: 'PT12H', quantity: 1 };
    return (await made(test, 'POST /api/production/schedules', { token: manager.token, body })).id;
  };
  const freshProduct = () => defineProduct(test, manager, drink);
  const withdrawnProduct = await freshProduct();
  await made(test, `DELETE /api/products/${withdrawnProduct}`, { token: manager.token });
  const endedSchedule = await freshSchedule();
  await made(test, `DELETE /api/production/schedules/${endedSchedule}`, { token: manager.token });
  const units = (await unitsOf(test, staff, siteId, bread)).map(({ id }) => id);
  const freshUnit = async () => {
    const id = units.pop();
    if (id === undefined) throw new Error('The town has no units left');
    return id;
  };
  const freshMachine = async () => {
    const draft = { token: manager.token, body: { name: 'Attacked', siteId } };
    type Registered = { machine: { id: string } };
    return (await made<Registered>(test, 'POST /api/vending-machines/register', draft)).machine.id;
  };
  const sold = { siteId, lines: [{ productId: bread, quantity: 1 }], channel: 'counter', tender: { kind: 'card' } };
  await made(test, 'POST /api/orders', { token: staff.token, body: sold });
  await test.idle();
  const soldUnits = 'GET /api/inventory/units?state=sold';
  const { items } = await made<{ items: { id: string }[] }>(test, soldUnits, { token: staff.token });
  const tokens = {
    anonymous: undefined,
    customer: customer.token,
    staff: staff.token,
    manager: manager.token,
    machine: await machineToken(test),
  };

  return {
    test,
    people,
    tokens,
    ...{ siteId, bread, coffee, withdrawnProduct, endedSchedule, soldUnit: items[0]?.id ?? '' },
    ...{ variationId: await freshVariation(), scheduleId: await freshSchedule(), unitId: await freshUnit() },
    unpaid: unpaid ?? customer,
    ...(await partnerOrdersOf(test, manager)),
    async freshOrder(buyer = customer) {
      const placed = await order(test, buyer, { siteId, productId: coffee });
      if (placed.status !== 201) throw new Error(`The order answered ${placed.status}: ${placed.text}`);
      return placed.body.id;
    },
    ...{ freshProduct, freshSchedule, freshVariation, freshUnit, freshMachine },
    call: (as, line, options = {}) => test.api.call(line, { token: tokens[as], ...options }),
    routes: () => test.server.http.routes().map((route) => ({ ...route, name: `${route.method} ${route.url}` })),
    async eventsSaid() {
      await test.idle();
      const heads = await Promise.all([...test.server.system.contexts.values()].map((context) => context.head()));
      return heads.reduce((sum, head) => sum + head, 0);
    },
    async close() {
      await test.close();
      await outside.close();
    },
  };
}

/** Mirrors the warehouse, and has the partner's order processed. */
async function partnerOrdersOf(test: TestServer, { token }: Person) {
  await made(test, 'POST /api/warehouses/sync', { token });
  await made(test, 'POST /api/partner-orders/import', { token });
  const run = await made(test, 'POST /api/partner-orders/process-all', { token });
  const { items } = await made<{ items: { id: string }[] }>(test, 'GET /api/partner-orders', { token });
  return { warehouseId: 'w1', partnerOrderId: items[0]?.id ?? '', partnerRunId: run.id };
}

/** Credentials as a vending machine has them, and a token that they get. */
async function machineToken(test: TestServer): Promise<string> {
  const { identity, contexts } = test.server.system;
  const created = await contexts.get('identity')?.db.withTx(async (tx) => {
    return identity?.createClient(tx, { kind: 'machine', subject: MISSING_ID }, test.clock.now());
  });
  if (created?.ok !== true) throw new Error('The machine got no credentials');
  const { clientId, clientSecret } = created.value;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  const answer = await test.api.call<{ access_token: string }>('POST /api/oauth/token', {
    bytes: form.toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    },
  });
  if (answer.status !== 200) throw new Error(`The machine got no token: ${answer.text}`);
  return answer.body.access_token;
}
