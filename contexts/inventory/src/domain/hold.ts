import { HOLD_TIME, HOLD_WALL_TIME_MIN, type OrderPlaced, type Shortage } from '@provender/contracts';
import { accept, type Instant, type Milliseconds, plus, type Result, refuse } from '@provender/kernel';
import type { ShelfUnit } from './unit.ts';

/** What an order wants of the shelf of its site: how many of each product that is kept as units. */
export type Wish = {
  readonly orderId: string;
  readonly siteId: string;
  readonly quantities: ReadonlyMap<string, number>;
};

export type NotEnough = { readonly kind: 'not-enough'; readonly shortages: readonly Shortage[] };

export type HoldDecision = { readonly wish: Wish; readonly outcome: Result<readonly ShelfUnit[], NotEnough> };

/** When a hold that begins now ends: two minutes of business time on, and at least ten seconds of wall time. */
export function holdEnd(
  now: Instant,
  atLeastWall: (business: Milliseconds, wall: Milliseconds) => Milliseconds,
): Instant {
  return plus(now, atLeastWall(HOLD_TIME, HOLD_WALL_TIME_MIN));
}

/** Several lines of one product, in whatever variation, want it together. What is made to order is never short. */
export function wishOf({ orderId, siteId, lines }: OrderPlaced): Wish {
  const quantities = new Map<string, number>();
  for (const { stock, productId, quantity } of lines) {
    if (stock === 'unit') quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return { orderId, siteId, quantities };
}

/** What a set of orders wants together, by site and product: so much need be looked for on the shelves. */
export function demandOf(wishes: readonly Wish[]): { siteId: string; productId: string; quantity: number }[] {
  const demand = new Map<string, { siteId: string; productId: string; quantity: number }>();
  for (const { siteId, quantities } of wishes) {
    for (const [productId, quantity] of quantities) {
      const key = shelfKey(siteId, productId);
      const wanted = demand.get(key);
      if (wanted === undefined) demand.set(key, { siteId, productId, quantity });
      else wanted.quantity += quantity;
    }
  }
  return [...demand.values()];
}

/**
 * Decides a set of orders, one after the other: each gets all the units that it wants, or none.
 * Takes the shelf oldest first, each product at least as far as the set wants it. A unit that would go stale before the
 * hold ends is never given (P2), none is given twice (P1), and of one product the oldest go first (P3).
 * Refuses an order with what is short: how many it wants, and how many those before it have left.
 */
export function decideHolds(
  wishes: readonly Wish[],
  shelf: readonly ShelfUnit[],
  holdEndsAt: Instant,
): readonly HoldDecision[] {
  const shelves = new Map<string, { readonly units: ShelfUnit[]; taken: number }>();
  for (const unit of shelf) {
    if (unit.staleAt !== null && unit.staleAt <= holdEndsAt) continue;
    const key = shelfKey(unit.siteId, unit.productId);
    const found = shelves.get(key);
    if (found === undefined) shelves.set(key, { units: [unit], taken: 0 });
    else found.units.push(unit);
  }
  return wishes.map((wish) => {
    const shortages: Shortage[] = [];
    for (const [productId, wanted] of wish.quantities) {
      const found = shelves.get(shelfKey(wish.siteId, productId));
      const available = found === undefined ? 0 : found.units.length - found.taken;
      if (available < wanted) shortages.push({ productId, wanted, available });
    }
    if (shortages.length > 0) return { wish, outcome: refuse({ kind: 'not-enough', shortages }) };
    const units: ShelfUnit[] = [];
    for (const [productId, wanted] of wish.quantities) {
      const found = shelves.get(shelfKey(wish.siteId, productId));
      if (found === undefined) continue;
      units.push(...found.units.slice(found.taken, found.taken + wanted));
      found.taken += wanted;
    }
    return { wish, outcome: accept(units) };
  });
}

function shelfKey(siteId: string, productId: string): string {
  return `${siteId} ${productId}`;
}
