import { type Static, Type } from 'typebox';
import { CLOSED, Literals, Uuid } from './common.ts';

/** The most characters of what an outside source calls a warehouse, an item, or a partner's order. */
export const OUTSIDE_ID_LENGTH_MAX = 100;
export const OUTSIDE_NAME_LENGTH_MAX = 200;

/** The largest quantity of one item that is believed of an outside source. */
export const OUTSIDE_QUANTITY_MAX = 1_000_000_000;

const Sku = Type.String({ description: 'What the warehouse source calls the item' });

/** So much of one item, from one warehouse. */
export const WarehouseAllocation = Type.Object(
  { warehouseId: Type.String(), sku: Sku, quantity: Type.Integer({ minimum: 1 }) },
  CLOSED,
);
export type WarehouseAllocation = Static<typeof WarehouseAllocation>;

/** What an order wanted of an item, and what was free of it in all warehouses together. */
export const ItemShortage = Type.Object(
  { sku: Sku, wanted: Type.Integer({ minimum: 1 }), available: Type.Integer({ minimum: 0 }) },
  CLOSED,
);
export type ItemShortage = Static<typeof ItemShortage>;

/** `unknown-item`: no warehouse has ever listed it. */
export const STOCK_REFUSALS = ['unknown-item', 'insufficient-stock'] as const;
export type StockRefusal = (typeof STOCK_REFUSALS)[number];

/** All that the partner's order wants is set aside for it, until it is reset. */
export const WarehouseStockAllocated = Type.Object(
  { partnerOrderId: Uuid, attempt: Type.Integer({ minimum: 1 }), allocations: Type.Array(WarehouseAllocation) },
  CLOSED,
);
export type WarehouseStockAllocated = Static<typeof WarehouseStockAllocated>;

/** Nothing was set aside: all or none. */
export const WarehouseStockRefused = Type.Object(
  {
    partnerOrderId: Uuid,
    attempt: Type.Integer({ minimum: 1 }),
    reason: Literals(STOCK_REFUSALS),
    shortages: Type.Array(ItemShortage),
  },
  CLOSED,
);
export type WarehouseStockRefused = Static<typeof WarehouseStockRefused>;

/** Key: all of them the same, so that one consumer hears all in order. Subject: the partner's order. */
export const warehouseEvents = {
  'inventory.warehouse-stock-allocated.v1': WarehouseStockAllocated,
  'inventory.warehouse-stock-refused.v1': WarehouseStockRefused,
} as const;
