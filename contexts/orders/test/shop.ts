import type { DeclineReason, ProductDefined, Said, Shortage, SiteDefined } from '@provender/contracts';
import { formatInstant, type Instant, MINUTE, plus } from '@provender/kernel';
import { openTestContext, type TestContext } from '@provender/platform/testing';
import type { OpenContext } from '@provender/platform';
import { orders } from '../src/index.ts';
import type { Order } from '../src/domain/order.ts';
import type { Placement } from '../src/domain/placement.ts';
import type { PlaceOrder, PlaceOutcome } from '../src/use-cases/place-orders.ts';

export const SITE = '01900000-0000-7000-8000-000000000001';
export const NIGHT_SITE = '01900000-0000-7000-8000-000000000002';
export const LOAF = '01900000-0000-7000-8000-000000000011';
export const COFFEE = '01900000-0000-7000-8000-000000000012';
export const LARGE = '01900000-0000-7000-8000-000000000021';
export const ANNA = '01900000-0000-7000-8000-0000000000a1';
export const BEN = '01900000-0000-7000-8000-0000000000b1';
export const STEFAN = '01900000-0000-7000-8000-0000000000c1';
export const UNKNOWN = '01900000-0000-7000-8000-00000000dead';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

export const site: SiteDefined = {
  siteId: SITE,
  name: 'Corner bakery',
  kind: 'shop',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  currency: 'EUR',
  freeVend: false,
};

export const loaf: ProductDefined = {
  productId: LOAF,
  sku: 'LOAF',
  name: 'Rye loaf',
  category: 'Bread',
  price: eur(250),
  unitCost: eur(80),
  stock: 'unit',
  shelfLifeMinutes: null,
  keepsOvernight: false,
  closingDiscountPercent: 25,
  variations: [{ variationId: LARGE, name: 'Large', priceDelta: eur(150) }],
};

export const coffee: ProductDefined = {
  ...loaf,
  productId: COFFEE,
  sku: 'COFFEE',
  name: 'Coffee',
  price: eur(300),
  stock: 'made-to-order',
  variations: [],
};

export function siteDefined(changes: Partial<SiteDefined> = {}): Said {
  const data = { ...site, ...changes };
  return { type: 'catalog.site-defined.v1', key: data.siteId, subject: data.siteId, data };
}

export function productDefined(data: ProductDefined): Said {
  return { type: 'catalog.product-defined.v1', key: data.productId, subject: data.productId, data };
}

export function unitsHeld(orderId: string, expiresAt: Instant): Said {
  const data = { orderId, siteId: SITE, expiresAt: formatInstant(expiresAt), units: [] };
  return { type: 'inventory.units-held.v1', key: SITE, subject: orderId, data };
}

export function holdRefused(orderId: string, shortages: Shortage[]): Said {
  return { type: 'inventory.hold-refused.v1', key: SITE, subject: orderId, data: { orderId, siteId: SITE, shortages } };
}

export function allocationFailed(orderId: string): Said {
  return { type: 'inventory.allocation-failed.v1', key: SITE, subject: orderId, data: { orderId, siteId: SITE } };
}

export function paymentCaptured(orderId: string): Said {
  const data = { orderId, siteId: SITE, amount: eur(500), tender: 'account', accountId: ANNA } as const;
  return { type: 'bank.payment-captured.v1', key: SITE, subject: orderId, data };
}

export function paymentDeclined(orderId: string, reason: DeclineReason = 'insufficient-funds'): Said {
  return { type: 'bank.payment-declined.v1', key: SITE, subject: orderId, data: { orderId, siteId: SITE, reason } };
}

/** Orders alone, with a shop in Berlin (07:00–18:00), one around the clock, loaves and coffee. */
export type Shop = TestContext<OpenContext> & {
  /** Hands commands to the intake at once; those that come together are one set. */
  place(...commands: Partial<PlaceOrder>[]): Promise<PlaceOutcome[]>;
  /** A shop order of Anna's, paid: `waiting`. Gives its id. */
  waiting(changes?: Partial<Placement>): Promise<string>;
  order(id: string): Promise<Order & { readonly reason: string | null }>;
};

export async function openShop(now?: Instant): Promise<Shop> {
  const context = await openTestContext(orders, now === undefined ? {} : { now });
  await context.hear([
    siteDefined(),
    siteDefined({ siteId: NIGHT_SITE, opensAt: '00:00', closesAt: '24:00' }),
    productDefined(loaf),
    productDefined(coffee),
  ]);
  let made = 0;

  function nextId(): string {
    made += 1;
    return `01900000-0000-7000-9000-${`${made}`.padStart(12, '0')}`;
  }

  function place(...commands: Partial<PlaceOrder>[]): Promise<PlaceOutcome[]> {
    const outcomes = commands.map((changes) => {
      const orderId = nextId();
      return context.running.reactor.submit({ ...placing(), orderId, ...changes }) as Promise<PlaceOutcome>;
    });
    return Promise.all(outcomes);
  }

  async function waiting(changes: Partial<Placement> = {}): Promise<string> {
    const [outcome] = await place({ placement: { ...placement(), ...changes } });
    if (outcome?.kind !== 'placed') throw new Error('The order was not placed');
    const { id } = outcome.order;
    await context.hear([unitsHeld(id, plus(context.clock.now(), 2 * MINUTE)), paymentCaptured(id)]);
    return id;
  }

  async function order(id: string) {
    type Row = Order & { readonly reason: string | null };
    const [row] = await context.sql<Row>('SELECT * FROM orders.orders WHERE id = $1', [id]);
    if (row === undefined) throw new Error('There is no such order');
    return row;
  }

  return { ...context, place, waiting, order };
}

export function placement(changes: Partial<Placement> = {}): Placement {
  const lines = [{ productId: LOAF, quantity: 2 }];
  return { siteId: SITE, channel: 'shop', tender: 'account', received: null, lines, ...changes };
}

function placing(): Omit<PlaceOrder, 'orderId'> {
  return { placedBy: ANNA, customerId: ANNA, placement: placement(), note: null, key: undefined };
}
