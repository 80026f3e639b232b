import type {
  BatchBaked,
  OrderLine,
  OrderPlaced,
  ProductDefined,
  Said,
  SiteDefined,
  UnitState,
} from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { OpenContext } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import { inventory } from '../src/index.ts';

export const SHOP = '01900000-0000-7000-8000-000000000001';
export const NIGHT_SHOP = '01900000-0000-7000-8000-000000000002';
export const POOL = '01900000-0000-7000-8000-000000000003';
export const DONUT = '01900000-0000-7000-8000-000000000011';
export const LOAF = '01900000-0000-7000-8000-000000000012';
export const BOTTLE = '01900000-0000-7000-8000-000000000013';
export const COFFEE = '01900000-0000-7000-8000-000000000014';
export const UNKNOWN = '01900000-0000-7000-8000-00000000dead';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

/** A shop in Berlin, 07:00–18:00. */
export function siteDefined(changes: Partial<SiteDefined> = {}): Said {
  const data: SiteDefined = {
    siteId: SHOP,
    name: 'Corner bakery',
    kind: 'shop',
    timeZone: 'Europe/Berlin',
    opensAt: '07:00',
    closesAt: '18:00',
    currency: 'EUR',
    freeVend: false,
    ...changes,
  };
  return { type: 'catalog.site-defined.v1', key: data.siteId, subject: data.siteId, data };
}

/** A donut, unless said otherwise: stale after 25 minutes. */
export function productDefined(changes: Partial<ProductDefined> = {}): Said {
  const data: ProductDefined = {
    productId: DONUT,
    sku: 'SKU',
    name: 'Something to eat',
    category: 'Food',
    price: eur(250),
    unitCost: eur(80),
    stock: 'unit',
    shelfLifeMinutes: 25,
    keepsOvernight: false,
    closingDiscountPercent: 50,
    variations: [],
    ...changes,
  };
  return { type: 'catalog.product-defined.v1', key: data.productId, subject: data.productId, data };
}

export function productWithdrawn(productId: string): Said {
  return { type: 'catalog.product-withdrawn.v1', key: productId, subject: productId, data: { productId } };
}

export type Ordered = {
  readonly orderId: string;
  readonly siteId?: string;
  readonly lines?: readonly (readonly [productId: string, quantity: number])[];
};

/** An order of one donut at the shop, unless said otherwise. */
export function orderPlaced({ orderId, siteId = SHOP, lines = [[DONUT, 1]] }: Ordered): Said {
  const data: OrderPlaced = {
    orderId,
    siteId,
    channel: 'shop',
    customerId: UNKNOWN,
    placedAt: '2026-11-21T08:00:00.000Z',
    tender: 'account',
    lines: lines.map(([productId, quantity]): OrderLine => {
      const stock = productId === COFFEE ? 'made-to-order' : 'unit';
      const prices = { listPrice: eur(250), discountPercent: 0, unitPrice: eur(250), total: eur(250 * quantity) };
      return { productId, name: 'Something', stock, quantity, ...prices };
    }),
    total: eur(250),
  };
  return { type: 'orders.order-placed.v1', key: siteId, subject: orderId, data };
}

export function orderPaid(orderId: string, units: number, handedOver = false): Said {
  const data = {
    orderId,
    siteId: SHOP,
    channel: 'shop',
    total: eur(250),
    handedOver,
    units,
    paidAt: '2026-11-21T08:00:00.000Z',
  } as const;
  return { type: 'orders.order-paid.v1', key: SHOP, subject: orderId, data };
}

export function orderRejected(orderId: string): Said {
  const data = { orderId, siteId: SHOP, reason: 'payment-declined' } as const;
  return { type: 'orders.order-rejected.v1', key: SHOP, subject: orderId, data };
}

export function orderCancelled(orderId: string, siteId = SHOP): Said {
  const data = { orderId, siteId, reason: 'cancelled-by-staff' } as const;
  return { type: 'orders.order-cancelled.v1', key: siteId, subject: orderId, data };
}

export function orderDelivered(orderId: string): Said {
  return { type: 'orders.order-delivered.v1', key: SHOP, subject: orderId, data: { orderId, siteId: SHOP } };
}

export type UnitRow = {
  readonly id: string;
  readonly state: UnitState;
  readonly orderId: string | null;
  readonly madeAt: Date;
  /** Its history as text: `available baked, held, sold`. */
  readonly walk: string;
};

/** Inventory alone: a shop in Berlin, one around the clock, a vending pool; donuts, loaves, bottles and coffee. */
export type Bakery = TestContext<OpenContext> & {
  readonly http: TestHttp;
  /** An id that no other call gives. */
  nextId(): string;
  batchBaked(changes: Partial<BatchBaked> & { readonly madeAt: string }): Said;
  /** Bakes at this moment; gives the id of the batch. */
  bake(quantity: number, changes?: Partial<BatchBaked>): Promise<string>;
  /** The units of a batch, oldest id first. */
  units(batchId: string): Promise<UnitRow[]>;
  states(batchId: string): Promise<Partial<Record<UnitState, number>>>;
  orderOf(...lines: (readonly [productId: string, quantity: number])[]): Promise<string>;
};

export async function openBakery(now?: Instant): Promise<Bakery> {
  const context = await openTestContext(inventory, now === undefined ? {} : { now });
  const http = await openTestHttp(context);
  await context.hear([
    siteDefined(),
    siteDefined({ siteId: NIGHT_SHOP, opensAt: '00:00', closesAt: '24:00' }),
    siteDefined({ siteId: POOL, kind: 'vending', opensAt: '00:00', closesAt: '24:00' }),
    productDefined(),
    productDefined({ productId: LOAF, shelfLifeMinutes: 3 * 24 * 60, unitCost: eur(120) }),
    productDefined({ productId: BOTTLE, shelfLifeMinutes: null, keepsOvernight: true, unitCost: eur(45) }),
    productDefined({ productId: COFFEE, stock: 'made-to-order', shelfLifeMinutes: null }),
  ]);
  let made = 0;

  function nextId(): string {
    made += 1;
    return `01900000-0000-7000-9000-${made.toString(16).padStart(12, '0')}`;
  }

  function batchBaked(changes: Partial<BatchBaked> & { readonly madeAt: string }): Said {
    const { batchId = nextId(), siteId = SHOP, productId = DONUT, quantity = 1, ...rest } = changes;
    const shelfLives = new Map([
      [LOAF, 3 * 24 * 60],
      [DONUT, 25],
    ]);
    const shelfLifeMinutes = shelfLives.get(productId) ?? null;
    const data: BatchBaked = { batchId, siteId, productId, quantity, shelfLifeMinutes, unitCost: eur(80), ...rest };
    return { type: 'production.batch-baked.v1', key: siteId, subject: batchId, data };
  }

  async function bake(quantity: number, changes: Partial<BatchBaked> = {}): Promise<string> {
    const batchId = nextId();
    await context.hear([batchBaked({ madeAt: formatInstant(context.clock.now()), ...changes, batchId, quantity })]);
    return batchId;
  }

  function units(batchId: string): Promise<UnitRow[]> {
    return context.sql<UnitRow>(
      `SELECT id, state, order_id AS "orderId", made_at AS "madeAt", (
         SELECT string_agg(concat_ws(' ', step.state, step.reason), ', ' ORDER BY nth)
         FROM unnest(steps) WITH ORDINALITY AS step (state, at, order_id, reason, nth)
       ) AS walk
       FROM inventory.units WHERE batch_id = $1 ORDER BY id`,
      [batchId],
    );
  }

  return {
    ...context,
    http,
    nextId,
    batchBaked,
    bake,
    units,
    async states(batchId) {
      const counts: Partial<Record<UnitState, number>> = {};
      for (const { state } of await units(batchId)) counts[state] = (counts[state] ?? 0) + 1;
      return counts;
    },
    async orderOf(...lines) {
      const orderId = nextId();
      await context.hear([orderPlaced({ orderId, lines })]);
      return orderId;
    },
    async close() {
      await http.close();
      await context.close();
    },
  };
}
