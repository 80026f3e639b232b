import type { ItemShortage, StockRefusal, WarehouseAllocation } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

/** What is free of one item in one warehouse. */
export type FreeStock = { readonly warehouseId: string; readonly sku: string; readonly free: number };

/** What one partner order needs, each item once. */
export type StockWish = {
  readonly partnerOrderId: string;
  readonly attempt: number;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
};

export type StockRefused = { readonly kind: StockRefusal; readonly shortages: readonly ItemShortage[] };

export type StockDecision = {
  readonly wish: StockWish;
  readonly outcome: Result<readonly WarehouseAllocation[], StockRefused>;
};

/** Says which warehouse is taken first: those that have some free of an item, in the order in which to take. */
export type WarehouseOrder = (having: readonly FreeStock[]) => readonly FreeStock[];

/**
 * The warehouse that has most of it first, so that an order is packed in as few places as can be; of two with the same,
 * the one whose id comes first, so that the same stock is always shared out alike.
 */
export const mostFreeFirst: WarehouseOrder = (having) =>
  having.toSorted((left, right) => right.free - left.free || (left.warehouseId < right.warehouseId ? -1 : 1));

/**
 * Decides a set of partner orders, one after the other: each gets all that it wants, from as many warehouses as it
 * takes, or nothing. Refuses, in this order, items that no warehouse has ever listed, and items of which all
 * warehouses together have too little free; says of each how much was wanted and how much is there.
 */
export function decideAllocations(
  wishes: readonly StockWish[],
  stock: readonly FreeStock[],
  warehouseOrder: WarehouseOrder = mostFreeFirst,
): readonly StockDecision[] {
  const shelves = new Map<string, FreeStock[]>();
  for (const item of stock) shelves.set(item.sku, [...(shelves.get(item.sku) ?? []), item]);
  return wishes.map((wish) => {
    const shortages = wish.items.flatMap(({ sku, quantity }): ItemShortage[] => {
      const available = (shelves.get(sku) ?? []).reduce((sum, { free }) => sum + free, 0);
      return available < quantity ? [{ sku, wanted: quantity, available }] : [];
    });
    if (shortages.length > 0) {
      const isUnknown = shortages.some(({ sku }) => !shelves.has(sku));
      return { wish, outcome: refuse({ kind: isUnknown ? 'unknown-item' : 'insufficient-stock', shortages }) };
    }
    const taken = wish.items.flatMap(({ sku, quantity }) => take(shelves, sku, quantity, warehouseOrder));
    return { wish, outcome: accept(taken) };
  });
}

/** Takes from the warehouses in their order, and leaves on the shelves what is left. */
function take(
  shelves: Map<string, FreeStock[]>,
  sku: string,
  quantity: number,
  warehouseOrder: WarehouseOrder,
): WarehouseAllocation[] {
  const taken: WarehouseAllocation[] = [];
  let wanted = quantity;
  const having = (shelves.get(sku) ?? []).filter(({ free }) => free > 0);
  const left = warehouseOrder(having).map((item): FreeStock => {
    const given = Math.min(item.free, wanted);
    wanted -= given;
    if (given > 0) taken.push({ warehouseId: item.warehouseId, sku, quantity: given });
    return { ...item, free: item.free - given };
  });
  shelves.set(sku, left);
  return taken;
}
