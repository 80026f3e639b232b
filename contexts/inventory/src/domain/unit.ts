import type { UnitGroup } from '@provender/contracts';
import { formatInstant, type Instant, money } from '@provender/kernel';

/** Where a unit belongs: units of one group are of one product and one age. */
export type Lot = { readonly productId: string; readonly batchId: string; readonly staleAt: Instant | null };

/** A unit that is on a shelf and free. */
export type ShelfUnit = Lot & { readonly id: string; readonly siteId: string };

/** Several units of one lot that went the same way, with what they cost together. */
export type CostedGroup = Lot & { readonly quantity: number; readonly cost: number; readonly currency: string };

/** Counts units by lot, in the order in which the lots first come. */
export function groupsOf(units: readonly Lot[]): UnitGroup[] {
  const groups = new Map<string, { lot: Lot; quantity: number }>();
  for (const lot of units) {
    const group = groups.get(lot.batchId);
    if (group === undefined) groups.set(lot.batchId, { lot, quantity: 1 });
    else group.quantity += 1;
  }
  return [...groups.values()].map(({ lot, quantity }) => unitGroup(lot, quantity));
}

/** A group as events say it. */
export function unitGroup({ productId, batchId, staleAt }: Lot, quantity: number): UnitGroup {
  return { productId, batchId, staleAt: staleAt === null ? null : formatInstant(staleAt), quantity };
}

/** A group with the cost of all its units, as events say it. */
export function costedGroup({ quantity, cost, currency, ...lot }: CostedGroup) {
  return { ...unitGroup(lot, quantity), cost: money(cost, currency) };
}
