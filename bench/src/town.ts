import { QUANTITY_MAX } from '@provender/contracts';

/** A running server, asked over HTTP like anybody would. */
export type Api = {
  readonly host: string;
  readonly port: number;
  call<Body>(
    method: string,
    path: string,
    options?: { readonly token?: string; readonly body?: unknown },
  ): Promise<Body>;
  signIn(email: string, password: string): Promise<string>;
};

/** What the load is run on: a site that is always open, products, customers with money. */
export type BenchTown = {
  readonly siteId: string;
  readonly productIds: readonly string[];
  readonly emails: readonly string[];
};

const PRODUCTS = 100;
const CUSTOMERS = 50;
const PASSWORD = 'a bench needs no secret';
const MONEY = 900_000_000;
const PRICE = 2;

export function openApi(host: string, port: number): Api {
  async function call<Body>(
    method: string,
    path: string,
    options: { token?: string; body?: unknown } = {},
  ): Promise<Body> {
    const response = await fetch(`http://${host}:${port}${path}`, {
      method,
      headers: {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  async function signIn(username: string, password: string): Promise<string> {
    const response = await fetch(`http://${host}:${port}/api/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', username, password }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) throw new Error(`Could not sign in as ${username}: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  return { host, port, call, signIn };
}

/** Builds the bench's town through the API: a shop around the clock, 100 products, 50 customers with money. */
export async function buildTown(api: Api): Promise<BenchTown> {
  const manager = await api.signIn('manager@example.com', 'test');
  const asManager = <Body>(path: string, body: unknown) => api.call<Body>('POST', path, { token: manager, body });
  const hours = { timeZone: 'Etc/UTC', opensAt: '00:00', closesAt: '24:00', currency: 'EUR' };
  const { id: siteId } = await asManager<{ id: string }>('/api/sites', { name: 'Bench', kind: 'shop', ...hours });
  const productIds: string[] = [];
  for (let number = 0; number < PRODUCTS; number += 1) {
    const { id } = await asManager<{ id: string }>('/api/products', {
      sku: `BENCH-${number}`,
      name: `Bench loaf ${number}`,
      category: 'Bench',
      price: { amount: PRICE, currency: 'EUR' },
      unitCost: { amount: 1, currency: 'EUR' },
      stock: 'unit',
      shelfLife: 'P30D',
      keepsOvernight: true,
      closingDiscountPercent: 0,
    });
    productIds.push(id);
  }
  const emails = Array.from({ length: CUSTOMERS }, (_, number) => `bench-${number}@example.com`);
  for (const email of emails) {
    const user = await api.call<{ id: string }>('POST', '/api/users', {
      body: { email, password: PASSWORD, name: 'Bench' },
    });
    await asManager('/api/bank/deposits', { accountId: user.id, amount: { amount: MONEY, currency: 'EUR' } });
  }
  return { siteId, productIds, emails };
}

/** Fresh tokens for all customers: a long bench outlives them. */
export async function signInCustomers(api: Api, town: BenchTown): Promise<string[]> {
  const tokens: string[] = [];
  for (const email of town.emails) tokens.push(await api.signIn(email, PASSWORD));
  return tokens;
}

/** Receives so many units of each of these products, in receipts of the largest size. */
export async function stockUp(
  api: Api,
  town: BenchTown,
  productIds: readonly string[],
  unitsEach: number,
): Promise<void> {
  const token = await api.signIn('staff@example.com', 'test');
  for (const productId of productIds) {
    for (let left = unitsEach; left > 0; left -= QUANTITY_MAX) {
      const body = { siteId: town.siteId, productId, quantity: Math.min(left, QUANTITY_MAX) };
      await api.call('POST', '/api/inventory/receipts', { token, body });
    }
  }
}
