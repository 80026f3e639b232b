import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OrderLine, Role, Said } from '@provender/contracts';
import type { TestContext, TestHttp } from '@provender/platform/testing';
import { openTestContext, openTestHttp, TEST_USERS } from '@provender/platform/testing';
import { notifications, type OpenNotifications } from '../src/index.ts';

/** Notifications on a database of its own, which knows a shop, its people and a bread. */
export type House = {
  readonly test: TestContext<OpenNotifications>;
  readonly http: TestHttp;
  readonly siteId: string;
  readonly breadId: string;
  close(): Promise<void>;
};

export const CUSTOMER = TEST_USERS.customer;
export const NEIGHBOUR = '01900000-0000-7000-8000-0000000000c9';

/** A time-out that a loaded machine keeps. */
export const SOON = { timeout: 15_000, interval: 50 };

export async function openHouse(env: Record<string, string> = {}): Promise<House> {
  const test = await openTestContext(notifications, { env: { WEBHOOK_LOOPBACK: 'on', ...env } });
  const http = await openTestHttp(test);
  const [siteId, breadId] = [randomUUID(), randomUUID()];
  await test.hear([
    person(CUSTOMER, 'cleo@test.example', ['customer']),
    person(NEIGHBOUR, 'nils@test.example', ['customer']),
    person(TEST_USERS.staff, 'sam@test.example', ['staff']),
    person(TEST_USERS.manager, 'mara@test.example', ['manager']),
  ]);
  await test.hear([site(siteId), bread(breadId)]);
  return {
    ...{ test, http, siteId, breadId },
    async close() {
      await http.close();
      await test.close();
    },
  };
}

function person(userId: string, email: string, roles: Role[]): Said {
  const name = email.slice(0, email.indexOf('@'));
  return { type: 'identity.user-registered.v1', key: userId, subject: userId, data: { userId, email, name, roles } };
}

function site(siteId: string): Said {
  const hours = { timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };
  const data = {
    siteId,
    name: 'Harbour & <Bakery>',
    kind: 'shop' as const,
    ...hours,
    currency: 'EUR',
    freeVend: false,
  };
  return { type: 'catalog.site-defined.v1', key: siteId, subject: siteId, data };
}

function bread(productId: string): Said {
  const price = { amount: 380, currency: 'EUR' };
  const data = {
    ...{ productId, sku: 'BREAD', name: 'Wheat loaf', category: 'Bread', price, unitCost: price },
    ...{ stock: 'unit' as const, shelfLifeMinutes: 600, keepsOvernight: false },
    ...{ closingDiscountPercent: 40, variations: [] },
  };
  return { type: 'catalog.product-defined.v1', key: productId, subject: productId, data };
}

export type Ordered = { readonly orderId: string; readonly siteId: string; readonly customerId: string };

export function ordered({ siteId }: House, customerId: string = CUSTOMER): Ordered {
  return { orderId: randomUUID(), siteId, customerId };
}

function about<Type extends Said['type']>(type: Type, { orderId, siteId }: Ordered, data: object): Said {
  // The data of each type is what the helpers below put together, and the log's schemas are checked elsewhere.
  return { type, key: siteId, subject: orderId, data } as unknown as Said;
}

export function placed(order: Ordered, line: Partial<OrderLine> = {}): Said {
  const price = { amount: 380, currency: 'EUR' };
  const lines = [
    {
      ...{ productId: randomUUID(), name: 'Wheat loaf', stock: 'unit', quantity: 2, listPrice: price },
      ...{ discountPercent: 0, unitPrice: price, total: { amount: 760, currency: 'EUR' }, ...line },
    },
  ];
  const money = { tender: 'account', total: { amount: 760, currency: 'EUR' } };
  return about('orders.order-placed.v1', order, {
    ...{ ...order, channel: 'shop', placedAt: '2026-11-21T08:00:00.000Z', lines, ...money },
  });
}

export function paid(order: Ordered): Said {
  const total = { amount: 760, currency: 'EUR' };
  return about('orders.order-paid.v1', order, { ...order, channel: 'shop', total, handedOver: false, units: 2 });
}

export function moved(order: Ordered, from: string, to: string): Said {
  return about('orders.order-status-changed.v1', order, { ...order, from, to });
}

export function cancelled(order: Ordered): Said {
  return about('orders.order-cancelled.v1', order, { ...order, reason: 'cancelled-by-staff' });
}

export function refunded(order: Ordered): Said {
  const amount = { amount: 760, currency: 'EUR' };
  const { orderId, siteId, customerId: accountId } = order;
  return about('bank.payment-refunded.v1', order, { orderId, siteId, amount, accountId });
}

export function made({ siteId, breadId }: House, quantity: number): Said {
  const batchId = randomUUID();
  const times = { madeAt: '2026-11-21T07:00:00.000Z', staleAt: null };
  const unitCost = { amount: 130, currency: 'EUR' };
  const data = { siteId, batchId, productId: breadId, quantity, ...times, unitCost, source: 'batch' as const };
  return { type: 'inventory.units-made.v1', key: siteId, subject: batchId, data };
}

export function held({ siteId, breadId }: House, quantity: number): Said {
  const orderId = randomUUID();
  const units = [{ productId: breadId, batchId: randomUUID(), staleAt: null, quantity }];
  const data = { orderId, siteId, expiresAt: '2026-11-21T09:00:00.000Z', units };
  return { type: 'inventory.units-held.v1', key: siteId, subject: orderId, data };
}

export function thrownOut({ siteId, breadId }: House, cost: number): Said {
  const group = { productId: breadId, batchId: randomUUID(), staleAt: null, quantity: 1 };
  const units = [{ ...group, cost: { amount: cost, currency: 'EUR' } }];
  const data = { siteId, reason: 'damaged' as const, wasOnShelf: true, units };
  return { type: 'inventory.units-discarded.v1', key: siteId, subject: siteId, data };
}

/** What a receiver of webhooks got, with the headers it came with. */
export type Received = { readonly headers: IncomingMessage['headers']; readonly body: string };

export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  /** Answers so from now on. */
  answer(status: number, headers?: Record<string, string>): void;
  close(): Promise<void>;
};

/** A server that takes webhooks on this machine. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 204;
  let extra: Record<string, string> = {};
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status, extra).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer(next, headers = {}) {
      status = next;
      extra = headers;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export type MessageSeen = {
  readonly id: string;
  readonly kind: string;
  readonly channel: string;
  readonly address: string;
  readonly status: string;
  readonly replays: number;
  readonly attempts: readonly { readonly ok: boolean; readonly detail: string }[];
};

export async function messages({ http }: House, query = ''): Promise<MessageSeen[]> {
  const { body } = await http.call<{ items: MessageSeen[] }>(`GET /api/notifications/messages${query}`, {
    as: 'manager',
  });
  return body.items;
}

/** Lets everything that waits for another try be tried now. */
export async function hurry({ test }: House): Promise<void> {
  await test.sql("UPDATE notifications.messages SET next_at = now() WHERE status = 'waiting'");
}
