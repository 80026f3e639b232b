import type { OrderPlaced, Said } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { Clock, Tx } from '@provender/platform';
import { decideHolds, demandOf, type HoldDecision, holdEnd, wishOf } from '../domain/hold.ts';
import { groupsOf, type ShelfUnit } from '../domain/unit.ts';
import { holdUnits, pickUnits, raiseShelfStarts } from '../store/shelf.ts';

type Demand = ReturnType<typeof demandOf>;

/**
 * Sets units aside for placed orders, in the order in which they were placed: for each all that it wants, or none. An
 * order of which everything is made to order is accepted without a hold.
 */
export async function holdForOrders(
  tx: Tx,
  orders: readonly OrderPlaced[],
  clock: Clock,
  isRaisingStarts = false,
): Promise<void> {
  const now = clock.now();
  const expiresAt = holdEnd(now, clock.atLeastWall);
  const wishes = orders.map(wishOf);
  const demand = demandOf(wishes);
  const shelf = demand.length === 0 ? [] : await pick(tx, demand, expiresAt, isRaisingStarts);
  const decisions = decideHolds(wishes, shelf, expiresAt);
  const holds = decisions.flatMap(({ wish: { orderId, siteId }, outcome }) =>
    outcome.ok && outcome.value.length > 0 ? [{ orderId, siteId, units: outcome.value }] : [],
  );
  if (holds.length > 0) holdUnits(tx, holds, now, expiresAt);
  tx.append(decisions.map((decision) => decided(decision, expiresAt)));
}

async function pick(tx: Tx, demand: Demand, expiresAt: Instant, isRaisingStarts: boolean): Promise<ShelfUnit[]> {
  // Both are on their way at once, the starts first.
  const raised = isRaisingStarts ? raiseShelfStarts(tx, demand) : undefined;
  const [units] = await Promise.all([pickUnits(tx, demand, expiresAt), raised]);
  return units;
}

function decided({ wish: { orderId, siteId }, outcome }: HoldDecision, expiresAt: Instant): Said {
  const about = { key: siteId, subject: orderId };
  if (!outcome.ok) {
    const { shortages } = outcome.refusal;
    return { type: 'inventory.hold-refused.v1', ...about, data: { orderId, siteId, shortages: [...shortages] } };
  }
  const units = groupsOf(outcome.value);
  const data = { orderId, siteId, expiresAt: formatInstant(expiresAt), units };
  return { type: 'inventory.units-held.v1', ...about, data };
}
