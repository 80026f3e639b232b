import { nextClosing, type Said, type SweepKind, type WasteReason } from '@provender/contracts';
import { accept, type Instant, plus, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { endOfDay, fateOf, type KnownSite, nextSweep } from '../domain/shelf.ts';
import { costedGroup } from '../domain/unit.ts';
import { decideWaste, type NotOnShelf, type UnknownUnits } from '../domain/waste.ts';
import { readSite } from '../store/copies.ts';
import { lockNamedUnits } from '../store/lists.ts';
import {
  type DiscardedGroup,
  discardUnits,
  lockFreeUnits,
  readBatchesOnShelf,
  UNITS_CLEARED_AT_ONCE_MAX,
} from '../store/shelf.ts';

/** Groups that one event says; more are said in several. */
export const GROUPS_SAID_AT_ONCE_MAX = 500;

/** Batches that one statement clears from a shelf. */
const BATCHES_CLEARED_AT_ONCE_MAX = 500;

/** Rounds in which a shelf is cleared of some batches; ten million units. */
const CLEARING_ROUNDS_MAX = 1_000;

/** Sweeps a site by its timer. Gives when the next sweep is due, null where the site is unknown. */
export async function sweepByTimer(tx: Tx, siteId: string, now: Instant): Promise<Instant | null> {
  const site = await readSite(tx, siteId);
  if (site === undefined) return null;
  await clearShelf(tx, siteId, now, endOfDay(site, now));
  return nextSweep(now);
}

/** Ends the day of a shop by its timer, also late. Gives its next closing; null where its days do not end. */
export async function closeByTimer(tx: Tx, siteId: string, now: Instant): Promise<Instant | null> {
  const site = await readSite(tx, siteId);
  if (site === undefined || site.kind !== 'shop') return null;
  await clearShelf(tx, siteId, now, endOfDay(site, now));
  return nextClosing(site, now);
}

/**
 * Sweeps a site because somebody says so: `stale` does what the timer does; `closing` ends the day of a shop here and
 * now, whatever its hours. Gives how many units it threw out. Refuses an unknown site.
 */
export async function sweepByHand(
  tx: Tx,
  siteId: string,
  kind: SweepKind,
  now: Instant,
): Promise<Result<number, { readonly kind: 'unknown-site' }>> {
  const site = await readSite(tx, siteId);
  if (site === undefined) return refuse({ kind: 'unknown-site' });
  return accept(await clearShelf(tx, siteId, now, kind === 'stale' ? endOfDay(site, now) : endOfDayNow(site, now)));
}

function endOfDayNow(site: KnownSite, now: Instant): Instant | null {
  return site.kind === 'shop' ? plus(now, 1) : null;
}

/** Throws out whatever `fateOf` does not let stay. What is held or allocated is not free, and so is never touched. */
async function clearShelf(tx: Tx, siteId: string, now: Instant, dayEnd: Instant | null): Promise<number> {
  const byFate = Map.groupBy(await readBatchesOnShelf(tx, siteId), (batch) => fateOf(batch, now, dayEnd));
  let discarded = 0;
  for (const reason of ['stale', 'closing'] as const) {
    const batchIds = (byFate.get(reason) ?? []).map(({ id }) => id);
    for (let from = 0; from < batchIds.length; from += BATCHES_CLEARED_AT_ONCE_MAX) {
      const some = batchIds.slice(from, from + BATCHES_CLEARED_AT_ONCE_MAX);
      discarded += await clearBatches(tx, siteId, some, reason, now);
    }
  }
  return discarded;
}

async function clearBatches(
  tx: Tx,
  siteId: string,
  batchIds: readonly string[],
  reason: 'stale' | 'closing',
  now: Instant,
): Promise<number> {
  let discarded = 0;
  for (let round = 0; round < CLEARING_ROUNDS_MAX; round += 1) {
    const unitIds = await lockFreeUnits(tx, siteId, batchIds);
    if (unitIds.length > 0) discarded += await discardFree(tx, unitIds, reason, now);
    if (unitIds.length < UNITS_CLEARED_AT_ONCE_MAX) break;
  }
  return discarded;
}

/**
 * Throws out units by hand. Gives how many. Refuses, and throws out none, where a unit is unknown, or is not free on a
 * shelf: held, allocated, or gone.
 */
export async function throwOutUnits(
  tx: Tx,
  unitIds: readonly string[],
  reason: WasteReason,
  now: Instant,
): Promise<Result<number, UnknownUnits | NotOnShelf>> {
  const decided = decideWaste(unitIds, await lockNamedUnits(tx, unitIds));
  return decided.ok ? accept(await discardFree(tx, decided.value, reason, now)) : decided;
}

async function discardFree(tx: Tx, unitIds: readonly string[], reason: WasteReason, now: Instant): Promise<number> {
  const units = unitIds.map((id) => ({ id, orderId: null }));
  tx.append(unitsDiscarded(await discardUnits(tx, units, reason, now), reason));
  return unitIds.length;
}

/** What was thrown out, in events of one site, and one order where it came back from one. */
export function unitsDiscarded(groups: readonly DiscardedGroup[], reason: WasteReason): Said[] {
  const together = Map.groupBy(groups, ({ siteId, orderId }) => `${siteId} ${orderId ?? ''}`);
  return [...together.values()].flatMap((all): Said[] => {
    const events: Said[] = [];
    for (let from = 0; from < all.length; from += GROUPS_SAID_AT_ONCE_MAX) {
      events.push(discardedEvent(all.slice(from, from + GROUPS_SAID_AT_ONCE_MAX), reason));
    }
    return events;
  });
}

function discardedEvent(groups: readonly DiscardedGroup[], reason: WasteReason): Said {
  // A group has at least one member, and all are of one site and order.
  const { siteId, orderId } = groups[0] as DiscardedGroup;
  return {
    type: 'inventory.units-discarded.v1',
    key: siteId,
    subject: orderId ?? siteId,
    data: {
      siteId,
      reason,
      wasOnShelf: orderId === null,
      ...(orderId === null ? {} : { orderId }),
      units: groups.map(costedGroup),
    },
  };
}
