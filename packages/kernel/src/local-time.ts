import { Temporal } from 'temporal-polyfill';
import { type Instant, instant } from './instant.ts';

/** Minutes since midnight on a wall: 0 is 00:00, 1440 is 24:00. */
export type MinuteOfDay = number;

/** A calendar day in some time zone, ISO 8601: `2026-11-21`. */
export type LocalDate = string;

const TIME_PATTERN = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** Reads `07:00` … `23:59`, and `24:00`. Gives undefined where the text is none of them. */
export function parseTimeOfDay(text: string): MinuteOfDay | undefined {
  if (text === '24:00') return 1440;
  const match = TIME_PATTERN.exec(text);
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
}

export function isTimeZone(text: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
    return true;
  } catch {
    return false;
  }
}

/** The calendar day that a clock on the wall in that zone shows. */
export function localDate(moment: Instant, timeZone: string): LocalDate {
  return zoned(moment, timeZone).toPlainDate().toString();
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/**
 * The moment at which a wall clock shows that time on that day. 24:00 is the next day's midnight. In the hour that a
 * DST night skips, it is the moment the clock jumps past it; in the hour that it repeats, the first of the two.
 */
export function localMoment(date: LocalDate, minuteOfDay: MinuteOfDay, timeZone: string): Instant {
  const day = Temporal.PlainDate.from(date).add({ days: Math.floor(minuteOfDay / 1440) });
  const minute = minuteOfDay % 1440;
  const time = Temporal.PlainTime.from({ hour: Math.floor(minute / 60), minute: minute % 60 });
  const moment = day.toZonedDateTime({ timeZone, plainTime: time });
  return instant(moment.epochMilliseconds);
}

/** The time that a clock on the wall in that zone shows, in minutes since midnight (whole). */
export function minuteOfDay(moment: Instant, timeZone: string): MinuteOfDay {
  const local = zoned(moment, timeZone);
  return local.hour * 60 + local.minute;
}

function zoned(moment: Instant, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone);
}
