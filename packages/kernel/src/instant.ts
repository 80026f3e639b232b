import type { Brand } from './brand.ts';

/** A moment of business time: milliseconds since 1970-01-01T00:00Z. The wall clock is behind the clock port. */
export type Instant = Brand<number, 'Instant'>;

/** An amount of time in milliseconds. */
export type Milliseconds = number;

export const SECOND: Milliseconds = 1_000;
export const MINUTE: Milliseconds = 60 * SECOND;
export const HOUR: Milliseconds = 60 * MINUTE;
export const DAY: Milliseconds = 24 * HOUR;

/** Takes milliseconds since the epoch. Throws on what is no whole finite number: that is a bug, not an input. */
export function instant(epochMilliseconds: number): Instant {
  if (!Number.isSafeInteger(epochMilliseconds)) throw new Error(`Not an instant: ${epochMilliseconds}`);
  return epochMilliseconds as Instant;
}

export function plus(moment: Instant, duration: Milliseconds): Instant {
  return instant(moment + Math.round(duration));
}

/** RFC 3339 in UTC with milliseconds: `2026-11-21T08:30:00.000Z`. */
export function formatInstant(moment: Instant): string {
  return new Date(moment).toISOString();
}

const INSTANT_PATTERN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Reads an RFC 3339 date-time with an offset. Gives undefined where the text is not one. */
export function parseInstant(text: string): Instant | undefined {
  if (!INSTANT_PATTERN.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : instant(milliseconds);
}

const DURATION_PATTERN = /^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,3}))?S)?)?$/;

/** Reads an ISO 8601 duration of days and smaller parts (`PT25M`, `P1DT2H`). Gives undefined where it is not one. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null || text.endsWith('P') || text.endsWith('T')) return undefined;
  const [days, hours, minutes, seconds, fraction] = match.slice(1).map((part) => part ?? '0');
  return (
    Number(days) * DAY +
    Number(hours) * HOUR +
    Number(minutes) * MINUTE +
    Number(seconds) * SECOND +
    Number((fraction ?? '0').padEnd(3, '0'))
  );
}

/** Writes a duration as ISO 8601, in hours, minutes and seconds: `PT25M`, `PT36H`, `PT0S`. */
export function formatDuration(duration: Milliseconds): string {
  const hours = Math.floor(duration / HOUR);
  const minutes = Math.floor((duration % HOUR) / MINUTE);
  const seconds = (duration % MINUTE) / SECOND;
  const text = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  return `PT${text || '0S'}`;
}
