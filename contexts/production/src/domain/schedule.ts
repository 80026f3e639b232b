import { lastClosing, type ScheduleDraft, type SchedulePatch, type ScheduleView } from '@provender/contracts';
import {
  accept,
  DAY,
  type Instant,
  instant,
  localDate,
  localMoment,
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
 * The slots that are due and not settled yet, and whose units are still worth having. Nothing is baked later than a day
 * after its time, nor of a product that is no longer kept as units.
 */
export function dueSlots({ schedule, site, product }: Plan, now: Instant): Instant[] {
  if (product.withdrawn || product.stock !== 'unit') return [];
  const from = instant(
    Math.max(schedule.settledUntil, now - CATCH_UP_MAX, freshSince(site, product, now), soldSince(site, product, now)),
  );
  return slotsBetween(site, schedule.everyMilliseconds, from, now);
}

/** Units made at that moment or later are fresh now. What does not go stale is baked late only on its own day. */
function freshSince({ timeZone }: KnownSite, { shelfLifeMinutes }: KnownProduct, now: Instant): Instant {
  if (shelfLifeMinutes !== null) return plus(now, 1 - shelfLifeMinutes * MINUTE);
  return localMoment(localDate(now, timeZone), 0, timeZone);
}

/** Units made before that moment would have been thrown out at the last closing. */
function soldSince(site: KnownSite, { keepsOvernight }: KnownProduct, now: Instant): Instant {
  return site.kind !== 'shop' || keepsOvernight ? instant(0) : lastClosing(site, now);
}

/** The first slot that is still to come. */
export function nextSlotOf({ schedule, site }: Omit<Plan, 'product'>, now: Instant): Instant {
  return nextSlot(site, schedule.everyMilliseconds, instant(now + 1));
}

export function scheduleView({ id, siteId, productId, every, quantity }: Schedule): ScheduleView {
  return { id, siteId, productId, every, quantity };
}
