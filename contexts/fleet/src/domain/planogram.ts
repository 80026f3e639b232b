import type { PlannedSlot, SlotDraft } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

/** What a machine holds where. Versions count from 1; a machine without one has version 0 and no slots. */
export type Planogram = {
  readonly machineId: string;
  readonly version: number;
  readonly slots: readonly PlannedSlot[];
};

/** What the fleet knows of a product, from the catalog's events. */
export type KnownProduct = { readonly id: string; readonly withdrawn: boolean };

export type SlotFault = { readonly pointer: string; readonly detail: string };

export type PlanogramRefusal =
  | { readonly kind: 'invalid'; readonly faults: readonly SlotFault[] }
  | { readonly kind: 'unknown-product'; readonly productId: string };

/**
 * Decides whether a machine may hold this. Refuses, in this order: `invalid` where a slot is named twice, is to be
 * filled beyond its capacity, or has a price in another currency than the site's; `unknown-product` where one is not
 * known or was withdrawn.
 */
export function decidePlanogram(
  slots: readonly SlotDraft[],
  currency: string,
  products: readonly KnownProduct[],
): Result<readonly SlotDraft[], PlanogramRefusal> {
  const names = slots.map(({ slot }) => slot);
  const faults = slots.flatMap((slot, index) => faultsOf(slot, index, names, currency));
  if (faults.length > 0) return refuse({ kind: 'invalid', faults });
  const known = new Set(products.filter(({ withdrawn }) => !withdrawn).map(({ id }) => id));
  const unknown = slots.find(({ productId }) => !known.has(productId));
  if (unknown !== undefined) return refuse({ kind: 'unknown-product', productId: unknown.productId });
  return accept(slots);
}

function faultsOf(draft: SlotDraft, index: number, names: readonly string[], currency: string): SlotFault[] {
  const at = `/slots/${index}`;
  const { slot, capacity, parLevel = 0, price, cashPrice } = draft;
  const faults: SlotFault[] = [];
  if (names.indexOf(slot) < index) faults.push({ pointer: `${at}/slot`, detail: 'is named twice' });
  if (parLevel > capacity) faults.push({ pointer: `${at}/parLevel`, detail: 'is more than the slot holds' });
  for (const [member, money] of Object.entries({ price, cashPrice })) {
    if (money !== undefined && money.currency !== currency) {
      faults.push({ pointer: `${at}/${member}/currency`, detail: `is not the currency of the site, ${currency}` });
    }
  }
  return faults;
}
