import { isOpen, type SiteHours } from '@provender/contracts';
import { addDays, HOUR, type Instant, instant, MINUTE, minuteOfDay, parseInstant } from '@provender/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextSlot, SPAN_MAX, slotsBetween, slotsOfDay } from './slots.ts';

const BERLIN: SiteHours = { timeZone: 'Europe/Berlin', opensAt: '07:00', closesAt: '18:00' };
const ALWAYS: SiteHours = { ...BERLIN, opensAt: '00:00', closesAt: '24:00' };

function at(text: string): Instant {
  const moment = parseInstant(text);
  if (moment === undefined) throw new Error(`Not an instant: ${text}`);
  return moment;
}

function onTheWall(slots: readonly Instant[], timeZone: string): string[] {
  return slots.map((slot) => {
    const minutes = minuteOfDay(slot, timeZone);
    return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  });
}

describe('slots of a day', () => {
  test('given a site open from 7 to 18, when every four hours, then from opening and not at or after closing', () => {
    expect(onTheWall(slotsOfDay(BERLIN, 4 * HOUR, '2026-11-21'), 'Europe/Berlin')).toEqual(['07:00', '11:00', '15:00']);
  });

  test('given a slot that would fall on closing, when counted, then it is none', () => {
    const slots = slotsOfDay({ ...BERLIN, opensAt: '17:00' }, 30 * MINUTE, '2026-11-21');
    expect(onTheWall(slots, 'Europe/Berlin')).toEqual(['17:00', '17:30']);
  });

  test('given the night that skips an hour, when open around the clock, then the day has 23 hourly slots', () => {
    const slots = slotsOfDay(ALWAYS, HOUR, '2026-03-29');
    expect(slots).toHaveLength(23);
    expect(onTheWall(slots.slice(0, 4), 'Europe/Berlin')).toEqual(['00:00', '01:00', '03:00', '04:00']);
  });

  test('given the night that repeats an hour, when open around the clock, then the day has 25 hourly slots', () => {
    const slots = slotsOfDay(ALWAYS, HOUR, '2026-10-25');
    expect(slots).toHaveLength(25);
    expect(onTheWall(slots.slice(0, 5), 'Europe/Berlin')).toEqual(['00:00', '01:00', '02:00', '02:00', '03:00']);
  });

  test('given a site open only in the hour that the night skips, when counted, then it moves past the jump', () => {
    const hours = { ...BERLIN, opensAt: '02:00', closesAt: '03:00' };
    expect(onTheWall(slotsOfDay(hours, 30 * MINUTE, '2026-03-28'), 'Europe/Berlin')).toEqual(['02:00', '02:30']);
    expect(slotsOfDay(hours, 30 * MINUTE, '2026-03-29')).toEqual([]);
    expect(nextSlot(hours, 30 * MINUTE, at('2026-03-28T12:00:00Z'))).toBe(at('2026-03-30T00:00:00Z'));
  });

  test('given a zone that leaves out a day, when that day is asked for, then it has no slots', () => {
    const hours = { timeZone: 'Pacific/Apia', opensAt: '00:00', closesAt: '24:00' };
    expect(slotsOfDay(hours, 6 * HOUR, '2011-12-30')).toEqual([]);
    expect(slotsOfDay(hours, 6 * HOUR, '2011-12-31')).toHaveLength(4);
  });

  test('given a zone where midnight does not exist that day, when open around the clock, then it begins at one', () => {
    const hours = { timeZone: 'Africa/Cairo', opensAt: '00:00', closesAt: '24:00' };
    expect(onTheWall(slotsOfDay(hours, 6 * HOUR, '2026-04-24'), 'Africa/Cairo')).toEqual([
      ...['01:00', '07:00', '13:00', '19:00'],
    ]);
  });
});

describe('slots between two moments', () => {
  test('given two days, when asked from an evening to a morning, then both ends are included and the night is not', () => {
    const slots = slotsBetween(BERLIN, 5 * HOUR, at('2026-11-20T16:00:00Z'), at('2026-11-21T11:00:00Z'));
    expect(slots).toEqual([at('2026-11-20T16:00:00Z'), at('2026-11-21T06:00:00Z'), at('2026-11-21T11:00:00Z')]);
  });

  test('given more than two days, when asked, then it throws: somebody forgot a bound', () => {
    const from = at('2026-11-01T00:00:00Z');
    expect(() => slotsBetween(BERLIN, HOUR, from, instant(from + SPAN_MAX + 1))).toThrow('too long');
  });
});

describe('the next slot', () => {
  test('given a moment that is a slot, then it is that one; a moment later, then the one after it', () => {
    const slot = at('2026-11-21T07:00:00Z');
    expect(nextSlot(BERLIN, HOUR, slot)).toBe(slot);
    expect(nextSlot(BERLIN, HOUR, instant(slot + 1))).toBe(at('2026-11-21T08:00:00Z'));
  });

  test('given the last slot is over, then it is tomorrow at opening', () => {
    expect(nextSlot(BERLIN, HOUR, at('2026-11-21T16:00:01Z'))).toBe(at('2026-11-22T06:00:00Z'));
  });
});

/** Days around changes of the clock, in zones that jump at midnight, by half an hour, twice a year or not at all. */
const DST_DAYS = [
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Africa/Cairo', '2026-04-24'],
  ['America/Santiago', '2026-09-06'],
  ['Pacific/Apia', '2011-12-30'],
  ['Asia/Kolkata', '2026-06-01'],
] as const;

const clockText = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

const someDay = fc.record({
  day: fc.constantFrom(...DST_DAYS),
  opens: fc.integer({ min: 0, max: 1439 }),
  open: fc.integer({ min: 1, max: 1440 }),
  every: fc.integer({ min: 1, max: 1440 }).map((minutes) => minutes * MINUTE),
  offset: fc.integer({ min: -1, max: 1 }),
});

function hoursOf({ day: [timeZone], opens, open }: { day: (typeof DST_DAYS)[number]; opens: number; open: number }) {
  return { timeZone, opensAt: clockText(opens), closesAt: clockText(Math.min(1440, opens + open)) };
}

describe('properties of slots, over DST nights', () => {
  test('given any day, then slots are evenly spaced and none is outside opening', () => {
    fc.assert(
      fc.property(someDay, (sample) => {
        const slots = slotsOfDay(hoursOf(sample), sample.every, addDays(sample.day[1], sample.offset));
        for (const [index, slot] of slots.entries()) {
          expect(slot).toBe((slots[0] ?? 0) + index * sample.every);
          expect(isOpen(hoursOf(sample), slot)).toBe(true);
        }
      }),
    );
  });

  test('given any moment, then the next slot is the first of those between, and following it finds each once', () => {
    fc.assert(
      fc.property(someDay, fc.integer({ min: 0, max: 86_399_999 }), (sample, within) => {
        const hours = hoursOf(sample);
        const every = Math.max(sample.every, 20 * MINUTE);
        const from = instant(Date.parse(`${addDays(sample.day[1], sample.offset)}T00:00:00Z`) + within);
        const to = instant(from + 36 * HOUR);
        const expected = slotsBetween(hours, every, from, to);
        const followed: Instant[] = [];
        let slot = nextSlot(hours, every, from);
        while (slot <= to) {
          followed.push(slot);
          slot = nextSlot(hours, every, instant(slot + 1));
        }
        expect(followed).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('given any cut of a stretch of time, then its parts have the slots of the whole', () => {
    fc.assert(
      fc.property(someDay, fc.integer({ min: 0, max: 24 * 60 }), (sample, cutMinutes) => {
        const hours = hoursOf(sample);
        const from = instant(Date.parse(`${sample.day[1]}T00:00:00Z`) - 12 * HOUR);
        const to = instant(from + 24 * HOUR);
        const cut = instant(from + cutMinutes * MINUTE);
        const parts = [
          ...slotsBetween(hours, sample.every, from, cut),
          ...slotsBetween(hours, sample.every, instant(cut + 1), to),
        ];
        expect(parts).toEqual(slotsBetween(hours, sample.every, from, to));
      }),
    );
  });
});
