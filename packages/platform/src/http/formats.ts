import { isTimeZone, isUuid, parseInstant, parseTimeOfDay } from '@provender/kernel';

/** What can be written as RFC 3339, and what every part of the system can hold. */
const YEAR_MIN = 1970;
const YEAR_MAX = 9_999;
const EMAIL_LENGTH_MAX = 254;
const DATE_TIME_LENGTH_MAX = 40;
const TIME_ZONE_LENGTH_MAX = 64;

const DATE_PATTERN = /^(\d{4})-(\d\d)-(\d\d)$/;
const CONTROL_PATTERN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const CONTROL_BUT_NEWLINE_PATTERN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
/** Marks that turn the direction of text around: a name must not read differently from what it is. */
const DIRECTION_PATTERN = /[\u202a-\u202e\u2066-\u2069]/;
// Bounded on every part, so that no text makes it slow. One @, a dotted host, nothing exotic.
const EMAIL_PATTERN = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$/;

/** Every format that a schema may name, with the words that a refusal uses. */
export const formats: Readonly<Record<string, { readonly check: (text: string) => boolean; readonly wanted: string }>> =
  {
    uuid: { check: isUuid, wanted: 'must be a UUID in lower case' },
    'date-time': {
      check: isDateTime,
      wanted: 'must be an RFC 3339 date-time with an offset, such as 2026-11-21T08:30:00Z',
    },
    date: { check: isDate, wanted: 'must be a date such as 2026-11-21' },
    email: { check: isEmail, wanted: 'must be an e-mail address' },
    'text-line': { check: isTextLine, wanted: 'must be one line of text without control characters, and not blank' },
    'text-block': { check: isTextBlock, wanted: 'must be text without control characters, and not blank' },
    'time-zone': { check: isTimeZoneName, wanted: 'must be a time zone such as Europe/Berlin' },
    'time-of-day': { check: isTimeOfDay, wanted: 'must be a time such as 07:00, or 24:00' },
    'http-url': { check: isHttpUrl, wanted: 'must be an address that begins with http:// or https://' },
  };

function isDateTime(text: string): boolean {
  return text.length <= DATE_TIME_LENGTH_MAX && isDate(text.slice(0, 10)) && parseInstant(text) !== undefined;
}

function isDate(text: string): boolean {
  const match = DATE_PATTERN.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (year < YEAR_MIN || year > YEAR_MAX) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isEmail(text: string): boolean {
  return text.length <= EMAIL_LENGTH_MAX && EMAIL_PATTERN.test(text);
}

function isTextLine(text: string): boolean {
  return text.isWellFormed() && !CONTROL_PATTERN.test(text) && !DIRECTION_PATTERN.test(text) && text.trim() !== '';
}

function isTextBlock(text: string): boolean {
  const isPlain = text.isWellFormed() && !CONTROL_BUT_NEWLINE_PATTERN.test(text) && !DIRECTION_PATTERN.test(text);
  return isPlain && text.trim() !== '';
}

function isTimeZoneName(text: string): boolean {
  return text.length <= TIME_ZONE_LENGTH_MAX && /^[A-Za-z]/.test(text) && isTimeZone(text);
}

function isTimeOfDay(text: string): boolean {
  return parseTimeOfDay(text) !== undefined;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
