import type { EventType, RecordedEvent, UnitGroup } from '@provender/contracts';

/** How the number of free units of a product at a site changes, with the last event that changed it. */
export type ShelfStep = {
  readonly siteId: string;
  readonly productId: string;
  readonly delta: number;
  readonly last: RecordedEvent;
};

type Units = {
  readonly siteId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly units: readonly UnitGroup[];
  readonly wasOnShelf: boolean;
};

const SIGNS: { readonly [Type in EventType]?: 1 | -1 } = {
  'inventory.units-made.v1': 1,
  'inventory.units-held.v1': -1,
  'inventory.units-released.v1': 1,
  'inventory.units-discarded.v1': -1,
};

/** Adds up what a set of events does to the shelves: one step for each product of each site. */
export function shelfSteps(events: readonly RecordedEvent[]): ShelfStep[] {
  const steps = new Map<string, ShelfStep>();
  for (const event of events) {
    const sign = SIGNS[event.type as EventType];
    if (sign === undefined) continue;
    // The type says which data the event has; the log took nothing else.
    const { siteId, productId, quantity, units, wasOnShelf } = event.data as Units;
    if (wasOnShelf === false) continue;
    for (const group of units ?? [{ productId, quantity }]) {
      const key = `${siteId} ${group.productId}`;
      const delta = (steps.get(key)?.delta ?? 0) + sign * group.quantity;
      steps.set(key, { siteId, productId: group.productId, delta, last: event });
    }
  }
  return [...steps.values()];
}

/** True where the last free unit has just gone. */
export function isSoldOut({ before, after }: { readonly before: number; readonly after: number }): boolean {
  return before > 0 && after <= 0;
}
