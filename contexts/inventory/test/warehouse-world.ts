import { type PartnerStockRequested, PARTNER_ORDERS_KEY, type Said } from '@provender/contracts';
import { openStandInSource, type StandInSource } from '@provender/platform';
import { openTestContext, openTestHttp, type TestContext, type TestHttp } from '@provender/platform/testing';
import type { OpenContext } from '@provender/platform';
import { inventory } from '../src/index.ts';

export const PLACE = '/warehouses';

export type Listed = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What the source answers for warehouses with items and quantities: `{ w1: { FLOUR: 120 } }`. */
export function listing(warehouses: Listed) {
  return {
    warehouses: Object.entries(warehouses).map(([id, items]) => ({
      id,
      name: `Warehouse ${id}`,
      items: Object.entries(items).map(([sku, quantity]) => ({ sku, name: `Item ${sku}`, quantity })),
    })),
  };
}

export type StockSeen = {
  readonly items: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly allocated: number;
    readonly available: number;
    readonly missingSince?: string;
  }[];
  readonly syncedAt?: string;
  readonly staleSince?: string;
};

export type WarehouseWorld = TestContext<OpenContext> & {
  readonly http: TestHttp;
  readonly source: StandInSource;
  /** Mirrors now, as a manager does; gives the status. */
  sync(): Promise<number>;
  stock(warehouseId: string): Promise<StockSeen>;
  /** Quantity, allocated and available of every item: `{ FLOUR: [120, 2, 118] }`. */
  levels(warehouseId: string): Promise<Record<string, readonly [number, number, number]>>;
};

/** Inventory alone, with a stand-in for the warehouses that lists these. */
export async function openWarehouseWorld(listed: Listed): Promise<WarehouseWorld> {
  const source = await openStandInSource({ [PLACE]: listing(listed) });
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const context = await openTestContext(inventory, { env: { WAREHOUSE_URL: source.url(PLACE) }, log });
  const http = await openTestHttp(context);
  const stock = async (warehouseId: string) =>
    (await http.call<StockSeen>(`GET /api/warehouses/${warehouseId}/stock`, { as: 'staff' })).body;
  return {
    ...context,
    http,
    source,
    sync: async () => (await http.call('POST /api/warehouses/sync', { as: 'manager' })).status,
    stock,
    async levels(warehouseId) {
      const { items } = await stock(warehouseId);
      return Object.fromEntries(
        items.map(({ sku, quantity, allocated, available }) => [sku, [quantity, allocated, available] as const]),
      );
    },
    async close() {
      await http.close();
      await context.close();
      await source.close();
    },
  };
}

export function stockRequested(partnerOrderId: string, items: Readonly<Record<string, number>>, attempt = 1): Said {
  const data: PartnerStockRequested = {
    partnerOrderId,
    number: partnerOrderId.slice(-4),
    attempt,
    items: Object.entries(items).map(([sku, quantity]) => ({ sku, quantity })),
  };
  return { type: 'orders.partner-stock-requested.v1', key: PARTNER_ORDERS_KEY, subject: partnerOrderId, data };
}

export function partnerOrderReset(partnerOrderId: string, attempt = 1): Said {
  const data = { partnerOrderId, attempt };
  return { type: 'orders.partner-order-reset.v1', key: PARTNER_ORDERS_KEY, subject: partnerOrderId, data };
}
