import { HOLD_TIME, type Said, type UnitsReleased } from '@provender/contracts';
import { type Instant, plus, SECOND } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { endOfDay, fateOf } from '../domain/shelf.ts';
import { groupsOf } from '../domain/unit.ts';
import { discardUnits, endHolds, expiredHolds, nextHoldEnd, releaseUnits, type ReturnedUnit } from '../store/shelf.ts';
import { unitsDiscarded } from './throw-out.ts';

/** Holds that one transaction ends; more follow at once in the next. */
export const HOLDS_ENDED_AT_ONCE_MAX = 500;

/**
 * Gives back the units of orders that came to nothing: fresh ones to their shelves; those that have gone stale
 * meanwhile, or at a shop belong to a day that has ended, are thrown out. An order whose hold has ended already changes
 * nothing.
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

/**
 * Ends the holds whose time has come. Gives the next moment to look: at once where more are waiting, else when the
 * first hold ends. A hold that is given from now on ends no sooner than a hold lasts, so with none there is nothing to
 * look for before.
 */
export async function expireHolds(tx: Tx, now: Instant): Promise<Instant> {
  const orderIds = await expiredHolds(tx, now, HOLDS_ENDED_AT_ONCE_MAX);
  if (orderIds.length > 0) await giveBack(tx, orderIds, 'expired', now);
  if (orderIds.length === HOLDS_ENDED_AT_ONCE_MAX) return plus(now, 1);
  const latest = plus(now, HOLD_TIME);
  const next = (await nextHoldEnd(tx, latest)) ?? latest;
  return next > now ? next : plus(now, SECOND);
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
