import type { UnitGroup, UnitsMade } from '@provender/contracts';

/** More (or, below zero, fewer) free units of one batch on a site's shelf. */
export type ShelfChange = {
  readonly siteId: string;
  readonly productId: string;
  readonly batchId: string;
  /** RFC 3339; null: does not go stale. */
  readonly staleAt: string | null;
  readonly delta: number;
};

/** New units: on the shelf at once. */
export function shelfChangeOfMade({ siteId, productId, batchId, staleAt, quantity }: UnitsMade): ShelfChange {
  return { siteId, productId, batchId, staleAt, delta: quantity };
}

/** Units put back on the shelf of a site. */
export function shelfChangesOfReturned(siteId: string, units: readonly UnitGroup[]): ShelfChange[] {
  return units.map(({ productId, batchId, staleAt, quantity }) => {
    return { siteId, productId, batchId, staleAt, delta: quantity };
  });
}

/** Units taken off the shelf of a site: set aside for an order, or thrown out. */
export function shelfChangesOfTaken(siteId: string, units: readonly UnitGroup[]): ShelfChange[] {
  return shelfChangesOfReturned(siteId, units).map((change) => ({ ...change, delta: -change.delta }));
}
