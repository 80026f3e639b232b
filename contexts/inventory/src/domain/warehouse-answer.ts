import {
  isMembers,
  isOutsideLine,
  OUTSIDE_ID_LENGTH_MAX,
  OUTSIDE_NAME_LENGTH_MAX,
  OUTSIDE_QUANTITY_MAX,
} from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

export const WAREHOUSES_MAX = 1_000;
/**
 * Items of all warehouses together. As many take two seconds to be mirrored at first; nothing else is set aside
 * meanwhile.
 */
export const WAREHOUSE_ITEMS_MAX = 20_000;
/** Faults of one answer that are told; the rest is only counted. */
export const FAULTS_TOLD_MAX = 20;

export type ListedWarehouse = { readonly id: string; readonly name: string };
export type ListedItem = {
  readonly warehouseId: string;
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
};

/** Everything that the source says at one moment. */
export type WarehouseListing = {
  readonly warehouses: readonly ListedWarehouse[];
  readonly items: readonly ListedItem[];
};

/** What is wrong with an answer, and where, as a JSON pointer. */
export type AnswerFault = { readonly pointer: string; readonly detail: string };

export type BrokenAnswer = {
  readonly kind: 'broken-answer';
  readonly faults: readonly AnswerFault[];
  readonly faultCount: number;
};

/**
 * Reads what the warehouse source has answered. All of it must be right: of an answer that is half broken nobody knows
 * which half to believe. Members that we do not know are passed over.
 * Refuses what is not of the agreed form; too many warehouses or items; an id, sku or name that is empty, too long or
 * no line of text; a quantity that is not whole, negative or absurd; a warehouse, or an item in one warehouse, twice.
 */
export function readWarehouseAnswer(document: unknown): Result<WarehouseListing, BrokenAnswer> {
  const faults = collectFaults();
  const warehouses: ListedWarehouse[] = [];
  const items: ListedItem[] = [];
  const listed = isMembers(document) ? document['warehouses'] : undefined;
  if (!Array.isArray(listed)) faults.add('/warehouses', 'must be a list');
  else if (listed.length > WAREHOUSES_MAX) faults.add('/warehouses', `must be ${WAREHOUSES_MAX} at most`);
  else {
    const ids = new Set<string>();
    for (const [place, warehouse] of listed.entries()) {
      readWarehouse(warehouse, `/warehouses/${place}`, { faults, warehouses, items, ids });
    }
  }
  if (items.length > WAREHOUSE_ITEMS_MAX) faults.add('/warehouses', `must list ${WAREHOUSE_ITEMS_MAX} items at most`);
  return faults.count() > 0 ? refuse(faults.refusal()) : accept({ warehouses, items });
}

type Reading = {
  readonly faults: ReturnType<typeof collectFaults>;
  readonly warehouses: ListedWarehouse[];
  readonly items: ListedItem[];
  readonly ids: Set<string>;
};

function readWarehouse(value: unknown, pointer: string, { faults, warehouses, items, ids }: Reading): void {
  if (!isMembers(value)) return faults.add(pointer, 'must be an object');
  const { id, name, items: listed } = value;
  if (!isOutsideLine(id, OUTSIDE_ID_LENGTH_MAX)) return faults.add(`${pointer}/id`, 'must be a short line of text');
  if (ids.has(id)) return faults.add(`${pointer}/id`, 'stands there twice');
  ids.add(id);
  if (!isOutsideLine(name, OUTSIDE_NAME_LENGTH_MAX)) faults.add(`${pointer}/name`, 'must be a line of text');
  else warehouses.push({ id, name });
  if (!Array.isArray(listed)) return faults.add(`${pointer}/items`, 'must be a list');
  const skus = new Set<string>();
  for (const [place, item] of listed.entries()) {
    const read = readItem(item, `${pointer}/items/${place}`, skus, faults.add);
    if (read !== undefined) items.push({ warehouseId: id, ...read });
  }
}

function readItem(
  value: unknown,
  pointer: string,
  skus: Set<string>,
  fault: (pointer: string, detail: string) => void,
): Omit<ListedItem, 'warehouseId'> | undefined {
  if (!isMembers(value)) {
    fault(pointer, 'must be an object');
    return undefined;
  }
  const { sku, name, quantity } = value;
  if (!isOutsideLine(sku, OUTSIDE_ID_LENGTH_MAX)) fault(`${pointer}/sku`, 'must be a short line of text');
  else if (skus.has(sku)) fault(`${pointer}/sku`, 'stands there twice');
  else if (!isOutsideLine(name, OUTSIDE_NAME_LENGTH_MAX)) fault(`${pointer}/name`, 'must be a line of text');
  else if (!isQuantity(quantity)) fault(`${pointer}/quantity`, `must be whole, from 0 to ${OUTSIDE_QUANTITY_MAX}`);
  else {
    skus.add(sku);
    return { sku, name, quantity };
  }
  return undefined;
}

function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= OUTSIDE_QUANTITY_MAX;
}

/** Counts all faults and keeps the first few. */
function collectFaults() {
  const told: AnswerFault[] = [];
  let count = 0;
  return {
    add(pointer: string, detail: string): void {
      count += 1;
      if (told.length < FAULTS_TOLD_MAX) told.push({ pointer, detail });
    },
    count: () => count,
    refusal: (): BrokenAnswer => ({ kind: 'broken-answer', faults: told, faultCount: count }),
  };
}
