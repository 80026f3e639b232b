import { type SiteHours, tradingDay } from '@provender/contracts';
import { addDays, DAY, type Instant, instant, localDate, type Milliseconds, MINUTE } from '@provender/kernel';

/** The shortest time between two batches of one schedule. */
export const EVERY_MIN: Milliseconds = MINUTE;
/** The longest: each day begins anew at opening, so more would be no different from once a day. */
export const EVERY_MAX: Milliseconds = DAY;

/** The longest stretch of time that is looked through at once. */
export const SPAN_MAX: Milliseconds = 2 * DAY;

/** A calendar day may have no slot (a DST night skips all the time it is open); not so many in a row. */
const EMPTY_DAYS_MAX = 7;

/** The moments of one calendar day at which a schedule bakes: from opening, every so long, while the site is open. */
export function slotsOfDay(hours: SiteHours, every: Milliseconds, date: string): Instant[] {
  const { opensAt, closesAt } = tradingDay(hours, date);
  // A zone that moves over the date line leaves out a day; its opening would be counted to the day after.
  if (localDate(opensAt, hours.timeZone) !== date) return [];
  const count = Math.max(0, Math.ceil((closesAt - opensAt) / every));
  return Array.from({ length: count }, (_, index) => instant(opensAt + index * every));
}

/** The slots from one moment to another, both included, in order. Throws where these are more than `SPAN_MAX` apart. */
export function slotsBetween(hours: SiteHours, every: Milliseconds, from: Instant, to: Instant): Instant[] {
  if (to - from > SPAN_MAX) throw new Error('Slots are asked for over too long a time');
  const slots: Instant[] = [];
  const lastDate = localDate(to, hours.timeZone);
  for (let date = localDate(from, hours.timeZone); date <= lastDate; date = addDays(date, 1)) {
    slots.push(...slotsOfDay(hours, every, date).filter((slot) => from <= slot && slot <= to));
  }
  return slots;
}

/** The first slot at that moment or after it. */
export function nextSlot(hours: SiteHours, every: Milliseconds, from: Instant): Instant {
  const today = localDate(from, hours.timeZone);
  for (let days = 0; days <= EMPTY_DAYS_MAX; days += 1) {
    const slot = slotsOfDay(hours, every, addDays(today, days)).find((each) => each >= from);
    if (slot !== undefined) return slot;
  }
  throw new Error('A site is never open');
}
