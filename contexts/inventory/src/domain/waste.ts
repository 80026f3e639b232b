import type { UnitState } from '@provender/contracts';
import {
  accept,
  addDays,
  type Instant,
  instant,
  localMoment,
  parseInstant,
  type Result,
  refuse,
} from '@provender/kernel';

export type UnknownUnits = { readonly kind: 'unknown-units'; readonly unitIds: readonly string[] };
export type NotOnShelf = {
  readonly kind: 'not-on-shelf';
  readonly units: readonly { readonly unitId: string; readonly state: UnitState }[];
};

/**
 * Decides whether units may be thrown out by hand: all of them must be known, and free on a shelf. A unit that is held
 * or allocated belongs to a buyer; `isFree` is false for one that is being taken at this moment.
 */
export function decideWaste(
  unitIds: readonly string[],
  found: readonly { readonly id: string; readonly state: UnitState; readonly isFree: boolean }[],
): Result<readonly string[], UnknownUnits | NotOnShelf> {
  const units = new Map(found.map((unit) => [unit.id, unit]));
  const wanted = [...new Set(unitIds.map((id) => id.toLowerCase()))];
  const unknown = wanted.filter((id) => !units.has(id));
  if (unknown.length > 0) return refuse({ kind: 'unknown-units', unitIds: unknown });
  const elsewhere = found.filter(({ isFree }) => !isFree).map(({ id, state }) => ({ unitId: id, state }));
  if (elsewhere.length > 0) return refuse({ kind: 'not-on-shelf', units: elsewhere });
  return accept(wanted);
}

/** A stretch of time, from a moment until just before another. */
export type Period = { readonly from: Instant; readonly until: Instant };

export type NoPeriod = { readonly kind: 'no-period'; readonly pointer: '/from' | '/to' };

/** Nothing was thrown out before or after, and the database can read both. */
const EARLIEST = instant(0);
const LATEST = instant(Date.UTC(9999, 0, 1));

/**
 * Reads a period that may be open at either end. A day is meant by the site's calendar, and the last day still counts;
 * a moment is meant to the millisecond, and the last one does not. Refuses what is no day and no moment.
 */
export function readPeriod(
  from: string | undefined,
  to: string | undefined,
  timeZone: string,
): Result<Period, NoPeriod> {
  const begins = from === undefined ? EARLIEST : readEdge(from, timeZone, 0);
  if (begins === undefined) return refuse({ kind: 'no-period', pointer: '/from' });
  const ends = to === undefined ? LATEST : readEdge(to, timeZone, 1);
  if (ends === undefined) return refuse({ kind: 'no-period', pointer: '/to' });
  return accept({ from: begins, until: ends });
}

const DAY_LENGTH = '2026-11-21'.length;

function readEdge(text: string, timeZone: string, daysOn: number): Instant | undefined {
  const moment = text.length === DAY_LENGTH ? dayBegin(text, timeZone, daysOn) : parseInstant(text);
  if (moment === undefined) return undefined;
  return instant(Math.min(Math.max(moment, EARLIEST), LATEST));
}

function dayBegin(date: string, timeZone: string, daysOn: number): Instant | undefined {
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, DAY_LENGTH) !== date) return undefined;
  return localMoment(addDays(date, daysOn), 0, timeZone);
}
