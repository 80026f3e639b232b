import type { PersonRole, ProductDraft, SiteDraft } from '@provender/contracts';
import type { ApiAnswer, ApiCall } from './api.ts';
import type { RunningTown } from './town-shape.ts';

export type Person = { readonly id: string; readonly token: string };

/** People who know each other's roles; every one is signed in. */
export type People = {
  readonly manager: Person;
  readonly staff: Person;
  readonly customer: Person;
  readonly neighbour: Person;
};

const PASSWORD = 'a pass phrase for tests';

/** Adds a person of each role, and a second customer, and signs them in. */
export async function addPeople(test: RunningTown): Promise<People> {
  const [manager, staff, customer, neighbour] = await addPersons(test, [
    ['manager@test.example', ['manager']],
    ['staff@test.example', ['staff']],
    ['customer@test.example', ['customer']],
    ['neighbour@test.example', ['customer']],
  ]);
  if (manager === undefined || staff === undefined || customer === undefined || neighbour === undefined) {
    throw new Error('This process has no identity context');
  }
  return { manager, staff, customer, neighbour };
}

/** Adds people by their addresses and signs them in, in the order given. */
export async function addPersons(
  test: RunningTown,
  wanted: readonly (readonly [email: string, roles: readonly PersonRole[]])[],
): Promise<Person[]> {
  const people = wanted.map(([email, roles]) => ({ email, name: email.split('@')[0] ?? email, roles }));
  const users = (await test.identity?.addPeople(people, PASSWORD)) ?? [];
  await test.idle();
  const ids = new Map(users.map((user) => [user.email, user.id]));
  return Promise.all(
    wanted.map(async ([email]) => ({ id: ids.get(email) ?? '', token: await test.api.signIn(email, PASSWORD) })),
  );
}

/** Signs people in again, where access tokens have expired or the server was restarted on another port. */
export async function signInAgain(test: RunningTown, people: People): Promise<People> {
  const again = async (name: keyof People): Promise<Person> => ({
    id: people[name].id,
    token: await test.api.signIn(`${name}@test.example`, PASSWORD),
  });
  const [manager, staff, customer, neighbour] = await Promise.all([
    again('manager'),
    again('staff'),
    again('customer'),
    again('neighbour'),
  ]);
  return { manager, staff, customer, neighbour };
}

export function euro(amount: number) {
  return { amount, currency: 'EUR' };
}

/** The answer's body; throws where the server refused, since then the test has nothing to stand on. */
export async function made<Body = { readonly id: string }>(
  test: Pick<RunningTown, 'api'>,
  line: string,
  options: ApiCall,
): Promise<Body> {
  const answer: ApiAnswer<Body> = await test.api.call<Body>(line, options);
  if (answer.status >= 300) throw new Error(`${line} answered ${answer.status}: ${answer.text}`);
  return answer.body;
}

/** A shop in Berlin with hours from seven to six, unless the draft says otherwise. */
export async function openSite(test: RunningTown, manager: Person, draft: Partial<SiteDraft> = {}): Promise<string> {
  const body = {
    name: 'Harbour Bakery',
    kind: 'shop',
    timeZone: 'Europe/Berlin',
    opensAt: '07:00',
    closesAt: '18:00',
    currency: 'EUR',
    ...draft,
  };
  return (await made(test, 'POST /api/sites', { token: manager.token, body })).id;
}

let skus = 0;

/** A loaf that lasts all day and costs 3.80, unless the draft says otherwise. */
export async function defineProduct(
  test: RunningTown,
  manager: Person,
  draft: Partial<ProductDraft> = {},
): Promise<string> {
  skus += 1;
  const body = {
    sku: `SKU-${skus}`,
    name: 'Wheat loaf',
    category: 'Bread',
    price: euro(380),
    unitCost: euro(130),
    stock: 'unit',
    ...(draft.stock === 'made-to-order' ? {} : { shelfLife: 'PT14H' }),
    closingDiscountPercent: 40,
    ...draft,
  };
  return (await made(test, 'POST /api/products', { token: manager.token, body })).id;
}

export async function bake(
  test: RunningTown,
  { token }: Person,
  batch: { readonly siteId: string; readonly productId: string; readonly quantity: number },
): Promise<string> {
  return (await made(test, 'POST /api/production/batches', { token, body: batch })).id;
}

export async function payIn(test: RunningTown, manager: Person, accountId: string, amount: number): Promise<void> {
  await made(test, 'POST /api/bank/deposits', { token: manager.token, body: { accountId, amount: euro(amount) } });
}

export type Balance = { readonly balance: { readonly amount: number } };

export async function balanceOf(test: RunningTown, { token }: Person): Promise<number> {
  const account = await made<Balance>(test, 'GET /api/bank/accounts/me', { token });
  return account.balance.amount;
}

export type UnitSeen = { readonly id: string; readonly state: string; readonly orderId?: string };

/** Every unit of a product at a site, oldest first. */
export async function unitsOf(
  test: RunningTown,
  { token }: Person,
  siteId: string,
  productId: string,
): Promise<UnitSeen[]> {
  const line = `GET /api/inventory/units?siteId=${siteId}&productId=${productId}&limit=200`;
  const { items } = await made<{ items: UnitSeen[] }>(test, line, { token });
  return items.reverse();
}

/** How many units of a product a site has, by their state. */
export async function statesOf(
  test: RunningTown,
  staff: Person,
  siteId: string,
  productId: string,
): Promise<Record<string, number>> {
  const states: Record<string, number> = {};
  for (const { state } of await unitsOf(test, staff, siteId, productId)) states[state] = (states[state] ?? 0) + 1;
  return states;
}

export type MenuItemSeen = {
  readonly productId: string;
  readonly available: number | null;
  readonly price: { readonly amount: number };
  readonly listPrice: { readonly amount: number };
  readonly discountPercent: number;
};

/** What the menu of a site says of a product now; undefined where it is not on it. */
export async function menuItem(
  test: RunningTown,
  siteId: string,
  productId: string,
): Promise<MenuItemSeen | undefined> {
  const menu = await made<{ items: MenuItemSeen[] }>(test, `GET /api/menu?siteId=${siteId}`, {});
  return menu.items.find((item) => item.productId === productId);
}

export type OrderSeen = {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly total: { readonly amount: number };
  readonly change?: { readonly amount: number };
  readonly customerId?: string;
  readonly history: readonly { readonly status: string; readonly reason?: string }[];
};

/** Orders so many of one product in the shop, whatever the answer. */
export function order(
  test: RunningTown,
  { token }: Person,
  wanted: { readonly siteId: string; readonly productId: string; readonly quantity?: number },
  options: ApiCall = {},
): Promise<ApiAnswer<OrderSeen>> {
  const { siteId, productId, quantity = 1 } = wanted;
  const body = { siteId, lines: [{ productId, quantity }] };
  return test.api.call<OrderSeen>('POST /api/orders', { token, body, ...options });
}

export async function orderOf(test: RunningTown, { token }: Person, id: string): Promise<OrderSeen> {
  return made<OrderSeen>(test, `GET /api/orders/${id}`, { token });
}

/** Moves an order along, as staff does. */
export async function moveTo(test: RunningTown, { token }: Person, id: string, status: string): Promise<OrderSeen> {
  return made<OrderSeen>(test, `PATCH /api/orders/${id}`, { token, body: { status } });
}
