import type { Reactions } from '@provender/platform';
import { type ShelfChange, shelfChangeOfMade, shelfChangesOfReturned, shelfChangesOfTaken } from './domain/shelf.ts';
import { changeShelves, listOnMenu } from './store.ts';

/**
 * Keeps the shelves that menus show. `touched` collects the sites whose menus have changed, for the cache to drop once
 * the set has committed. Sold and allocated units need nothing: the hold took them off the shelf.
 */
export function reactions(touched: Set<string>): Reactions {
  function changed(changes: readonly ShelfChange[]): readonly ShelfChange[] {
    for (const { siteId } of changes) touched.add(siteId);
    return changes;
  }

  return {
    'inventory.units-made.v1': async (events, tx) => {
      const made = events.map(({ data }) => data);
      await Promise.all([changeShelves(tx, changed(made.map(shelfChangeOfMade))), listOnMenu(tx, made)]);
    },
    'inventory.units-held.v1': async (events, tx) => {
      const taken = events.flatMap(({ data }) => shelfChangesOfTaken(data.siteId, data.units));
      await changeShelves(tx, changed(taken));
    },
    'inventory.units-released.v1': async (events, tx) => {
      const returned = events.flatMap(({ data }) => shelfChangesOfReturned(data.siteId, data.units));
      await changeShelves(tx, changed(returned));
    },
    'inventory.units-discarded.v1': async (events, tx) => {
      const offShelf = events.filter(({ data }) => data.wasOnShelf);
      const taken = offShelf.flatMap(({ data }) => shelfChangesOfTaken(data.siteId, data.units));
      await changeShelves(tx, changed(taken));
    },
  };
}
