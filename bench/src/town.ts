import { setTimeout as wait } from 'node:timers/promises';
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

/** What the load is run on: sites that are always open, products, customers with money. */
export type BenchTown = {
  /** The first of the sites. */
  readonly siteId: string;
  readonly siteIds: readonly string[];
  readonly productIds: readonly string[];
  readonly emails: readonly string[];
};

export type TownSize = { readonly sites: number; readonly products: number; readonly customers: number };

const SIZE: TownSize = { sites: 1, products: 100, customers: 50 };
/** Where contexts run apart, one knows of another's writes a little later. */
const KNOWN_MILLISECONDS_MAX = 30_000;
const AGAIN_MILLISECONDS = 50;
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

/** Builds the bench's town through the API: shops around the clock, products, customers with money. */
export async function buildTown(api: Api, { sites, products, customers }: TownSize = SIZE): Promise<BenchTown> {
  const manager = await api.signIn('manager@example.com', 'test');
  const asManager = <Body>(path: string, body: unknown) => api.call<Body>('POST', path, { token: manager, body });
  const hours = { timeZone: 'Etc/UTC', opensAt: '00:00', closesAt: '24:00', currency: 'EUR' };
  const siteIds: string[] = [];
  for (let number = 0; number < sites; number += 1) {
    const { id } = await asManager<{ id: string }>('/api/sites', { name: `Bench ${number}`, kind: 'shop', ...hours });
    siteIds.push(id);
  }
  const productIds: string[] = [];
  for (let number = 0; number < products; number += 1) {
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
  const emails = Array.from({ length: customers }, (_, number) => `bench-${number}@example.com`);
  for (const email of emails) {
    const user = await api.call<{ id: string }>('POST', '/api/users', {
      body: { email, password: PASSWORD, name: 'Bench' },
    });
    const amount = { amount: MONEY, currency: 'EUR' };
    await untilKnown(() => asManager('/api/bank/deposits', { accountId: user.id, amount }));
  }
  return { siteId: siteIds[0] ?? '', siteIds, productIds, emails };
}

/** Asks again while the answer is a refusal: another context has not heard yet of what this builds on. */
export async function untilKnown<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const giveUpAt = performance.now() + KNOWN_MILLISECONDS_MAX;
  while (true) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await wait(AGAIN_MILLISECONDS);
    }
  }
}

/** Fresh tokens for all customers: a long bench outlives them. */
export async function signInCustomers(api: Api, town: BenchTown): Promise<string[]> {
  const tokens: string[] = [];
  for (const email of town.emails) tokens.push(await api.signIn(email, PASSWORD));
  return tokens;
}

/** Receives so many units of each of these products at a site, in receipts of the largest size. */
export async function stockUp(
  api: Api,
  siteId: string,
  productIds: readonly string[],
  unitsEach: number,
): Promise<void> {
  const token = await api.signIn('staff@example.com', 'test');
  for (const productId of productIds) {
    for (let left = unitsEach; left > 0; left -= QUANTITY_MAX) {
      const body = { siteId, productId, quantity: Math.min(left, QUANTITY_MAX) };
      await untilKnown(() => api.call('POST', '/api/inventory/receipts', { token, body }));
    }
  }
}
