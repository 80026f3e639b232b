import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Api, ApiAnswer, ApiCall } from './api.ts';
import { euro, made } from './town.ts';

/** Buyers with money and a full shelf, at a server that is going to be killed. */
export type Market = {
  readonly siteId: string;
  readonly productIds: readonly string[];
  readonly buyers: readonly { readonly id: string; readonly token: string }[];
  readonly managerToken: string;
  readonly staffToken: string;
};

/** One thing that somebody wanted, with all that is needed to ask again. */
export type Ask = {
  readonly line: string;
  readonly token: string;
  readonly key: string;
  readonly body?: unknown;
  /** The first answer that said something final. */
  answer?: ApiAnswer<OrderTold>;
};

type OrderTold = { readonly id?: string; readonly total?: { readonly amount: number } };

const BUYERS = 6;
const PRODUCTS = 4;
const MONEY = 50_000_000;
const PRICE = 150;
/** So much of each product that no shelf runs empty, however long the load is. */
const RECEIPTS = 1 + 2 * Number(process.env['PROVENDER_CRASHES'] ?? process.env['PROVENDER_FAULTS'] ?? 0);
const UNITS = 2_000;
const PASSWORD = 'a pass phrase for the market';
const ATTEMPTS_MAX = 400;
const ATTEMPT_MILLISECONDS_MAX = 15_000;

/** Builds a market through the API of a server with demo data. */
export async function openMarket(api: Api): Promise<Market> {
  const test = { api };
  const managerToken = await api.signIn('manager@example.com', 'test');
  const staffToken = await api.signIn('staff@example.com', 'test');
  const manager = { token: managerToken };
  const hours = { timeZone: 'Etc/UTC', opensAt: '00:00', closesAt: '24:00' };
  const site = { name: 'Market', kind: 'shop', currency: 'EUR', ...hours };
  const { id: siteId } = await made(test, 'POST /api/sites', { ...manager, body: site });
  const productIds: string[] = [];
  for (let number = 0; number < PRODUCTS; number += 1) {
    const draft = { name: 'Loaf', category: 'Bread', price: euro(PRICE), stock: 'unit', closingDiscountPercent: 0 };
    const body = { ...draft, sku: `MARKET-${randomUUID()}`, shelfLife: 'P9D', keepsOvernight: true };
    const { id } = await made(test, 'POST /api/products', { ...manager, body });
    productIds.push(id);
    const receipt = { siteId, productId: id, quantity: UNITS };
    for (let received = 0; received < RECEIPTS; received += 1) {
      await madeSoon(test, 'POST /api/inventory/receipts', { token: staffToken, body: receipt });
    }
  }
  const buyers = await Promise.all(
    Array.from({ length: BUYERS }, async () => {
      const email = `${randomUUID()}@market.example`;
      const { id } = await made(test, 'POST /api/users', { body: { email, password: PASSWORD, name: 'Buyer' } });
      await madeSoon(test, 'POST /api/bank/deposits', { ...manager, body: { accountId: id, amount: euro(MONEY) } });
      return { id, token: await api.signIn(email, PASSWORD) };
    }),
  );
  return { siteId, productIds, buyers, managerToken, staffToken };
}

/** Where contexts run apart, another one sees a write a little later: asks again while it knows nothing of it. */
async function madeSoon(test: { readonly api: Api }, line: string, options: ApiCall): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, text } = await test.api.call(line, options);
    if (status < 300) return;
    if (status !== 404 || attempt === ATTEMPTS_MAX) throw new Error(`${line} answered ${status}: ${text}`);
    await wait(50);
  }
}

/** Asks until there is a final answer: what was cut off, 409 in progress and 503 is asked again with the same key. */
export async function askUntilAnswered(
  ask: Ask,
  apis: readonly Api[],
  seen: (answer: ApiAnswer) => void,
): Promise<void> {
  const { line, token, key, body } = ask;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const api = apis[attempt % apis.length];
    const options = { token, key, body, timeoutMilliseconds: ATTEMPT_MILLISECONDS_MAX };
    const answer = await api?.call<OrderTold>(line, options).catch(() => undefined);
    if (answer !== undefined) seen(answer);
    const isAgain = answer === undefined || answer.status >= 500 || answer.status === 202 || isUnderWay(answer);
    if (answer !== undefined && !isAgain) {
      ask.answer = answer;
      return;
    }
    await wait(50);
  }
  throw new Error(`Nobody answered ${line} with the key ${key}`);
}

function isUnderWay({ body }: ApiAnswer<unknown>): boolean {
  return (body as { type?: string } | undefined)?.type === '/problems/request-in-progress';
}

export type Load = {
  readonly asks: readonly Ask[];
  /** Every answer, in the order in which they came, with the wall time. */
  readonly seen: readonly { readonly at: number; readonly status: number; readonly retryAfter: string | undefined }[];
  /** Starts nothing new, and waits until all that was asked is answered. */
  end(): Promise<void>;
};

/** So many buyers at once, each asking one thing after the other, until it is ended. */
export function startLoad(market: Market, apis: readonly Api[], atOnce: number): Load {
  const asks: Ask[] = [];
  const seen: { at: number; status: number; retryAfter: string | undefined }[] = [];
  let ending = false;

  async function ask(wanted: Omit<Ask, 'key'>): Promise<Ask> {
    const one: Ask = { ...wanted, key: randomUUID() };
    asks.push(one);
    await askUntilAnswered(one, apis, ({ status, headers }) => {
      seen.push({ at: performance.now(), status, retryAfter: headers['retry-after'] });
    });
    return one;
  }

  async function shop(worker: number): Promise<void> {
    const { buyers, productIds, siteId, staffToken } = market;
    while (!ending) {
      const buyer = buyers[worker % buyers.length];
      const productId = productIds[randomInt(productIds.length)];
      if (buyer === undefined || productId === undefined) throw new Error('An empty market');
      const body = { siteId, lines: [{ productId, quantity: 1 + randomInt(2) }] };
      const kind = randomInt(10);
      if (kind < 8) {
        const { answer } = await ask({ line: 'POST /api/orders', token: buyer.token, body });
        const path = `POST /api/orders/${answer?.body.id}/cancel`;
        if (kind === 0 && answer?.status === 201) await ask({ line: path, token: buyer.token });
      } else {
        const sale = { ...body, channel: 'counter', tender: { kind: 'card' } };
        await ask({ line: 'POST /api/orders', token: staffToken, body: sale });
      }
    }
  }

  const shopping = Promise.all(Array.from({ length: atOnce }, (_item, index) => shop(index)));
  shopping.catch(() => {});
  return {
    asks,
    seen,
    async end() {
      ending = true;
      await shopping;
    },
  };
}

type OrderListed = {
  readonly id: string;
  readonly status: string;
  readonly customerId?: string;
  readonly total: { readonly amount: number };
};

const SETTLE_MILLISECONDS_MAX = 15_000;

export type Settling = {
  /** Looks at every promise; by default the server is asked to. */
  readonly verify?: () => Promise<Verified>;
  /** How long what is on its way may take to arrive. */
  readonly patienceMilliseconds?: number;
};

/**
 * Expects that the books agree with what the buyers were told: each order that was answered is there once, as told,
 * there is none beside, nobody has paid for more, no unit is missing, and none is stuck.
 */
export async function expectNothingLost(
  market: Market,
  api: Api,
  asks: readonly Ask[],
  { verify, patienceMilliseconds = SETTLE_MILLISECONDS_MAX }: Settling = {},
): Promise<void> {
  await untilNoneIsPlaced(market, api, patienceMilliseconds);
  const listed = await allOrders(market, api);
  const byId = new Map(listed.map((order) => [order.id, order]));
  const placed = asks.filter(({ line }) => line === 'POST /api/orders');
  expect(asks.filter(({ answer }) => answer === undefined)).toEqual([]);
  const told = placed.map(({ answer }) => ({ status: answer?.status, id: answer?.body.id }));
  const ids = told.filter(({ status }) => status === 201).map(({ id }) => id ?? '');
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !byId.has(id))).toEqual([]);
  // Orders that nobody was told of would be doubles.
  expect(listed.length).toBe(placed.length);

  const cancelled = new Set(
    asks
      .filter(({ line, answer }) => line.endsWith('/cancel') && answer?.status === 200)
      .map(({ answer }) => answer?.body.id),
  );
  expect(listed.filter(({ status }) => status === 'cancelled').length).toBe(cancelled.size);
  for (const buyer of market.buyers) {
    const own = listed.filter(({ id, customerId, status }) => {
      return customerId === buyer.id && status !== 'rejected' && !cancelled.has(id);
    });
    const spent = own.reduce((sum, { total }) => sum + total.amount, 0);
    const account = await made<{ balance: { amount: number } }>({ api }, 'GET /api/bank/accounts/me', {
      token: buyer.token,
    });
    expect(account.balance.amount).toBe(MONEY - spent);
  }
  await expectAllChecks(market, api, verify ?? (() => askToVerify(market, api)), patienceMilliseconds);
}

/** Every order is decided, though its process was killed in the middle: some other process, or the next, goes on. */
async function untilNoneIsPlaced({ managerToken, siteId }: Market, api: Api, patience: number): Promise<void> {
  const giveUpAt = performance.now() + patience;
  for (;;) {
    const line = `GET /api/orders?siteId=${siteId}&status=placed`;
    const { items } = await made<{ items: OrderListed[] }>({ api }, line, { token: managerToken });
    if (items.length === 0) return;
    if (performance.now() > giveUpAt) expect(items, 'orders that are stuck').toEqual([]);
    await wait(100);
  }
}

async function allOrders({ managerToken, siteId }: Market, api: Api): Promise<OrderListed[]> {
  const all: OrderListed[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const line = `GET /api/orders?siteId=${siteId}&limit=200${after}`;
    const page = await made<{ items: OrderListed[]; nextCursor?: string }>({ api }, line, { token: managerToken });
    all.push(...page.items);
    cursor = page.nextCursor;
  }
  return all;
}

type Verified = {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly violations: readonly unknown[] }[];
};

function askToVerify({ managerToken }: Market, api: Api): Promise<Verified> {
  return made<Verified>({ api }, 'GET /api/verify', { token: managerToken });
}

/** Liveness has its time: what is still on its way a moment after a crash must have arrived soon after. */
async function expectAllChecks(
  { managerToken }: Market,
  api: Api,
  verify: () => Promise<Verified>,
  patienceMilliseconds: number,
): Promise<void> {
  const giveUpAt = performance.now() + patienceMilliseconds;
  for (;;) {
    const { ok, checks } = await verify();
    const parked = await made<{ items: unknown[] }>({ api }, 'GET /api/events/parked', { token: managerToken });
    if (ok && parked.items.length === 0) return;
    if (performance.now() > giveUpAt) {
      expect(checks.filter((check) => !check.ok)).toEqual([]);
      expect(parked.items).toEqual([]);
    }
    await wait(200);
  }
}
