import {
  addDays,
  type Instant,
  type LocalDate,
  localDate,
  localMoment,
  MINUTE,
  parseTimeOfDay,
  plus,
} from '@provender/kernel';

/** When a site trades, by the clock on its own wall. `00:00`–`24:00` is around the clock. */
export type SiteHours = { readonly timeZone: string; readonly opensAt: string; readonly closesAt: string };

/** One trading day of a site, as moments; on a DST night it is an hour shorter or longer. */
export type TradingDay = { readonly date: LocalDate; readonly opensAt: Instant; readonly closesAt: Instant };

/** How long before closing every product is sold at its closing discount. */
export const CLOSING_DISCOUNT_BEFORE = 30 * MINUTE;

export function isAroundTheClock(hours: SiteHours): boolean {
  return hours.opensAt === '00:00' && hours.closesAt === '24:00';
}

export function tradingDay(hours: SiteHours, date: LocalDate): TradingDay {
  return {
    date,
    opensAt: localMoment(date, parseTimeOfDay(hours.opensAt) ?? 0, hours.timeZone),
    closesAt: localMoment(date, parseTimeOfDay(hours.closesAt) ?? 1440, hours.timeZone),
  };
}

/** The trading day of the calendar day that the site's wall shows at this moment, open or not. */
export function tradingDayAt(hours: SiteHours, now: Instant): TradingDay {
  return tradingDay(hours, localDate(now, hours.timeZone));
}

/** True from the moment of opening until just before the moment of closing. */
export function isOpen(hours: SiteHours, now: Instant): boolean {
  const day = tradingDayAt(hours, now);
  return day.opensAt <= now && now < day.closesAt;
}

/** The latest closing that is not in the future. */
export function lastClosing(hours: SiteHours, now: Instant): Instant {
  const day = tradingDayAt(hours, now);
  if (day.closesAt <= now) return day.closesAt;
  return tradingDay(hours, addDays(day.date, -1)).closesAt;
}

/** The earliest closing that is still to come. */
export function nextClosing(hours: SiteHours, now: Instant): Instant {
  const day = tradingDayAt(hours, now);
  if (now < day.closesAt) return day.closesAt;
  return tradingDay(hours, addDays(day.date, 1)).closesAt;
}

/** True in the last 30 minutes before closing; a site open around the clock ends its day at midnight. */
export function isClosingDiscountTime(hours: SiteHours, now: Instant): boolean {
  return isOpen(hours, now) && plus(now, CLOSING_DISCOUNT_BEFORE) >= nextClosing(hours, now);
}
