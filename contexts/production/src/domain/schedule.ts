import { lastClosing, type ScheduleDraft, type SchedulePatch, type ScheduleView } from '@provender/contracts';
import {
  accept,
  DAY,
  type Instant,
  instant,
  localDate,
  MINUTE,
  type Milliseconds,
  parseDuration,
  plus,
  type Result,
  refuse,
  SECOND,
} from '@provender/kernel';
import type { KnownProduct, KnownSite } from './known.ts';
import { EVERY_MAX, EVERY_MIN, nextSlot, slotsBetween } from './slots.ts';

/** Bakes so many of a product at a site, again and again from opening to closing. */
export type Schedule = {
  readonly id: string;
  readonly siteId: string;
  readonly productId: string;
  /** ISO 8601, as it was written. */
  readonly every: string;
  readonly everyMilliseconds: Milliseconds;
  readonly quantity: number;
  /** Slots before this moment are settled: baked, or skipped for good. */
  readonly settledUntil: Instant;
};

/** A schedule with what production knows of its site and product. */
export type Plan = { readonly schedule: Schedule; readonly site: KnownSite; readonly product: KnownProduct };

export type Fault = { readonly pointer: string; readonly detail: string };
/** Refused: a value cannot stand. */
export type Invalid = { readonly kind: 'invalid'; readonly faults: readonly Fault[] };

/** How far back a process that was down looks for slots that it has missed. */
export const CATCH_UP_MAX: Milliseconds = DAY;

/** A new schedule, whose first slot is at this moment or later. Refuses an `every` below a minute or above a day. */
export function scheduleFrom(id: string, draft: ScheduleDraft, now: Instant): Result<Schedule, Invalid> {
  const everyMilliseconds = readEvery(draft.every);
  if (!everyMilliseconds.ok) return everyMilliseconds;
  return accept({ ...draft, id, everyMilliseconds: everyMilliseconds.value, settledUntil: now });
}

/** The schedule with only the named members changed. Refuses what {@link scheduleFrom} refuses. */
export function revisedSchedule(schedule: Schedule, patch: SchedulePatch): Result<Schedule, Invalid> {
  const everyMilliseconds = readEvery(patch.every ?? schedule.every);
  if (!everyMilliseconds.ok) return everyMilliseconds;
  return accept({ ...schedule, ...patch, everyMilliseconds: everyMilliseconds.value });
}

function readEvery(text: string): Result<Milliseconds, Invalid> {
  const every = parseDuration(text) ?? 0;
  if (every >= EVERY_MIN && every <= EVERY_MAX && every % SECOND === 0) return accept(every);
  const detail = 'must be whole seconds, from one minute to one day';
  return refuse({ kind: 'invalid', faults: [{ pointer: '/every', detail }] });
}

/**
 * The slots that are due and not settled yet, and whose units are still worth having: fresh, and not such as the last
 * closing would have thrown out; what does not go stale is baked late only on its own day. Nothing is baked later than
 * a day after its time, nor of a product that is no longer kept as units.
 */
export function dueSlots({ schedule, site, product }: Plan, now: Instant): Instant[] {
  if (product.withdrawn || product.stock !== 'unit' || schedule.settledUntil > now) return [];
  const from = instant(Math.max(schedule.settledUntil, now - CATCH_UP_MAX));
  const slots = slotsBetween(site, schedule.everyMilliseconds, from, now);
  return slots.filter((slot) => isStillFresh(slot, site, product, now) && outlivedClosing(slot, site, product, now));
}

function isStillFresh(slot: Instant, site: KnownSite, { shelfLifeMinutes }: KnownProduct, now: Instant): boolean {
  if (shelfLifeMinutes !== null) return plus(slot, shelfLifeMinutes * MINUTE) > now;
  return localDate(slot, site.timeZone) === localDate(now, site.timeZone);
}

function outlivedClosing(slot: Instant, site: KnownSite, product: KnownProduct, now: Instant): boolean {
  return site.kind !== 'shop' || product.keepsOvernight || slot >= lastClosing(site, now);
}

/** The first slot that is still to come. */
export function nextSlotOf({ schedule, site }: Omit<Plan, 'product'>, now: Instant): Instant {
  return nextSlot(site, schedule.everyMilliseconds, instant(now + 1));
}

export function scheduleView({ id, siteId, productId, every, quantity }: Schedule): ScheduleView {
  return { id, siteId, productId, every, quantity };
}
