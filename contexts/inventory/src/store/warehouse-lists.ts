import type { WarehouseMovementKind } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';

// What people read of warehouses.

const WAREHOUSES = statement(
  'list-warehouses',
  `SELECT warehouses.id, warehouses.name, warehouses.missing_since AS "missingSince", (
     SELECT count(*) FROM warehouse_items AS items
     WHERE items.warehouse_id = warehouses.id AND items.missing_since IS NULL
   ) AS items
   FROM warehouses WHERE $2::text IS NULL OR id > $2 ORDER BY id LIMIT $1`,
);
const COUNTS = statement(
  'count-warehouses',
  `SELECT (SELECT count(*) FROM warehouses WHERE missing_since IS NULL) AS warehouses,
     (SELECT count(*) FROM warehouse_items WHERE missing_since IS NULL) AS items`,
);
const WAREHOUSE = statement('warehouse', 'SELECT id FROM warehouses WHERE id = $1');
const ITEMS = statement(
  'list-warehouse-items',
  `SELECT sku, name, quantity, allocated, free AS available, missing_since AS "missingSince" FROM warehouse_items
   WHERE warehouse_id = $1 AND ($3::text IS NULL OR sku > $3) ORDER BY sku LIMIT $2`,
);
const MOVEMENTS = statement(
  'list-warehouse-movements',
  `SELECT id, sku, at, kind, quantity_change AS "quantityChange", allocated_change AS "allocatedChange", quantity,
     allocated, reference
   FROM warehouse_movements WHERE warehouse_id = $1 AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $2`,
);

export type Warehouse = {
  readonly id: string;
  readonly name: string;
  readonly items: number;
  readonly missingSince: Instant | null;
};

export type WarehouseItem = {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly allocated: number;
  readonly available: number;
  readonly missingSince: Instant | null;
};

export type WarehouseMovement = {
  readonly id: number;
  readonly sku: string;
  readonly at: Instant;
  readonly kind: WarehouseMovementKind;
  readonly quantityChange: number;
  readonly allocatedChange: number;
  readonly quantity: number;
  readonly allocated: number;
  readonly reference: string | null;
};

type Paging<After> = { readonly limit: number; readonly after?: readonly [After] };

/** By their ids; one row more than the limit, as in every list here. */
export function listWarehouses(db: Query, { limit, after }: Paging<string>): Promise<Warehouse[]> {
  return db.query<Warehouse>(WAREHOUSES, [limit + 1, after?.[0] ?? null]);
}

export type WarehouseCounts = { readonly warehouses: number; readonly items: number };

/** How much the source lists. */
export async function countWarehouses(db: Query): Promise<WarehouseCounts> {
  const [counts] = await db.query<WarehouseCounts>(COUNTS);
  return counts ?? { warehouses: 0, items: 0 };
}

export async function isWarehouse(db: Query, id: string): Promise<boolean> {
  return (await db.query(WAREHOUSE, [id])).length > 0;
}

/** By their skus. */
export function listItems(db: Query, warehouseId: string, { limit, after }: Paging<string>): Promise<WarehouseItem[]> {
  return db.query<WarehouseItem>(ITEMS, [warehouseId, limit + 1, after?.[0] ?? null]);
}

/** Newest first. */
export function listMovements(
  db: Query,
  warehouseId: string,
  { limit, after }: Paging<number>,
): Promise<WarehouseMovement[]> {
  return db.query<WarehouseMovement>(MOVEMENTS, [warehouseId, limit + 1, after?.[0] ?? null]);
}
