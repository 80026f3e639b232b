import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { FreeStock } from '../domain/warehouse-allocation.ts';

// Allocations of warehouse stock. Who reads what is free in order to allocate it has locked the source's row before.

const FREE_STOCK = statement(
  'free-warehouse-stock',
  `SELECT warehouse_id AS "warehouseId", sku, free FROM warehouse_items WHERE sku = ANY($1::text[])
   ORDER BY sku, warehouse_id`,
);

/** What is free of these items, warehouse by warehouse; also where it is nothing. */
export function readFreeStock(db: Query, skus: readonly string[]): Promise<FreeStock[]> {
  return db.query<FreeStock>(FREE_STOCK, [skus]);
}

const FREE_IN_WAREHOUSE = statement(
  'free-in-warehouse',
  `SELECT warehouses.id, items.free FROM warehouses
   LEFT JOIN warehouse_items AS items ON items.warehouse_id = warehouses.id AND items.sku = $2
   WHERE warehouses.id = $1`,
);

/** What is free of an item in one warehouse: undefined without the warehouse, null where it does not list the item. */
export async function readFreeInWarehouse(
  db: Query,
  warehouseId: string,
  sku: string | null,
): Promise<number | null | undefined> {
  const [row] = await db.query<{ free: number | null }>(FREE_IN_WAREHOUSE, [warehouseId, sku]);
  return row?.free;
}

const DECIDED = statement(
  'decided-partner-attempts',
  `SELECT DISTINCT allocations.reference, allocations.attempt
   FROM unnest($1::uuid[], $2::integer[]) AS wanted (reference, attempt)
   JOIN warehouse_allocations AS allocations
     ON allocations.reference = wanted.reference AND allocations.attempt = wanted.attempt`,
);
const ALLOCATE = statement('allocate-warehouse-stock', 'SELECT allocate_warehouse_stock($1, $2, $3, $4, $5, $6, $7)');
const RELEASE = statement('release-warehouse-stock', 'SELECT release_warehouse_stock($1, $2, $3)');

/** One line of the ledger of allocations. */
export type NewAllocation = {
  readonly reference: string;
  readonly attempt: number;
  readonly warehouseId: string;
  readonly sku: string;
  readonly quantity: number;
};

export type Attempt = { readonly reference: string; readonly attempt: number };

/** Which of these attempts have been given stock before. */
export function readAllocated(db: Query, attempts: readonly Attempt[]): Promise<Attempt[]> {
  return db.query<Attempt>(DECIDED, [
    attempts.map(({ reference }) => reference),
    attempts.map(({ attempt }) => attempt),
  ]);
}

/** Sets stock aside, and writes down each movement. */
export async function allocate(
  db: Query,
  allocations: readonly NewAllocation[],
  purpose: 'partner-order' | 'transfer',
  at: Instant,
): Promise<void> {
  await db.query(ALLOCATE, [
    allocations.map(({ reference }) => reference),
    allocations.map(({ attempt }) => attempt),
    allocations.map(({ warehouseId }) => warehouseId),
    allocations.map(({ sku }) => sku),
    allocations.map(({ quantity }) => quantity),
    purpose,
    formatInstant(at),
  ]);
}

/** Gives back what these attempts of partner orders have; those that have nothing change nothing. */
export async function release(db: Query, attempts: readonly Attempt[], at: Instant): Promise<void> {
  await db.query(RELEASE, [
    attempts.map(({ reference }) => reference),
    attempts.map(({ attempt }) => attempt),
    formatInstant(at),
  ]);
}
