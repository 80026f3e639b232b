import type { Said, UnitsReleased } from '@provender/contracts';
import { type Instant, plus } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { endOfDay, fateOf } from '../domain/shelf.ts';
import { groupsOf } from '../domain/unit.ts';
import { discardUnits, endHolds, expiredHolds, releaseUnits, type ReturnedUnit } from '../store/shelf.ts';
import { HOLD_EXPIRY_EVERY } from './hear-catalog.ts';
import { unitsDiscarded } from './throw-out.ts';

/** Holds that one transaction ends; more follow at once in the next. */
export const HOLDS_ENDED_AT_ONCE_MAX = 500;

/**
 * Gives back the units of orders that came to nothing: fresh ones to their shelves; those that have gone stale meanwhile,
 * or at a shop belong to a day that has ended, are thrown out. An order whose hold has ended already changes nothing.
 */
export async function giveBack(
  tx: Tx,
  orderIds: readonly string[],
  reason: UnitsReleased['reason'],
  now: Instant,
): Promise<void> {
  const units = await endHolds(tx, orderIds, reason === 'expired' ? 'expired' : 'released');
  const byFate = Map.groupBy(units, (unit) => fateOf(unit, now, dayEndOf(unit, now)));
  const released = byFate.get('stays') ?? [];
  if (released.length > 0) await releaseUnits(tx, released, reason, now);
  tx.append([...Map.groupBy(released, ({ orderId }) => orderId).values()].map((back) => unitsReleased(back, reason)));
  for (const why of ['stale', 'closing'] as const) {
    const wasted = byFate.get(why) ?? [];
    if (wasted.length > 0) tx.append(unitsDiscarded(await discardUnits(tx, wasted, why, now), why));
  }
}

/** Ends the holds whose time has come. Gives the next moment to look, which is at once where more are waiting. */
export async function expireHolds(tx: Tx, now: Instant): Promise<Instant> {
  const orderIds = await expiredHolds(tx, now, HOLDS_ENDED_AT_ONCE_MAX);
  if (orderIds.length > 0) await giveBack(tx, orderIds, 'expired', now);
  return plus(now, orderIds.length < HOLDS_ENDED_AT_ONCE_MAX ? HOLD_EXPIRY_EVERY : 1);
}

function dayEndOf({ kind, timeZone, opensAt, closesAt }: ReturnedUnit, now: Instant): Instant | null {
  return kind === null ? null : endOfDay({ kind, timeZone, opensAt, closesAt }, now);
}

function unitsReleased(units: readonly ReturnedUnit[], reason: UnitsReleased['reason']): Said {
  // A group has at least one member.
  const { orderId, siteId } = units[0] as ReturnedUnit;
  return {
    type: 'inventory.units-released.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, reason, units: groupsOf(units) },
  };
}
