/** A mean in which what is recent counts most, of so many observations. */
type Mean = { readonly value: number; readonly days: number };

/** What is known of the demand for one item: over all days, and for each day of the week from Monday on. */
export type DemandHistory = { readonly overall: Mean; readonly weekdays: readonly Mean[] };

const NOTHING: Mean = { value: 0, days: 0 };

export const NO_HISTORY: DemandHistory = { overall: NOTHING, weekdays: Array.from({ length: 7 }, () => NOTHING) };

/** The weight of the newest day. The first days count alike, so that the very first does not weigh for ever. */
const OVERALL_WEIGHT = 0.15;
const WEEKDAY_WEIGHT = 0.3;
/** So many days of one weekday count as much as all days together. */
const WEEKDAYS_TO_BELIEVE = 2;
/** The margin, in standard deviations of a count, which are the square root of its mean. */
export const MARGIN_DEVIATIONS = 0.5;

/** Takes the demand of one day, sold and refused together. */
export function learn(history: DemandHistory, weekday: number, demand: number): DemandHistory {
  return {
    overall: nextMean(history.overall, demand, OVERALL_WEIGHT),
    weekdays: history.weekdays.map((mean, day) => (day === weekday ? nextMean(mean, demand, WEEKDAY_WEIGHT) : mean)),
  };
}

function nextMean({ value, days }: Mean, observed: number, weight: number): Mean {
  const share = Math.max(weight, 1 / (days + 1));
  return { value: value + (observed - value) * share, days: days + 1 };
}

/** The demand to expect on such a day of the week: its own mean, the more believed the more of them there were. */
export function forecast({ overall, weekdays }: DemandHistory, weekday: number): number {
  const own = weekdays[weekday] ?? NOTHING;
  const belief = own.days / (own.days + WEEKDAYS_TO_BELIEVE);
  return own.value * belief + overall.value * (1 - belief);
}

/**
 * How many pieces to have for an expected demand: with a margin, rounded. So what is asked for on less than every
 * fourth day is not made ahead.
 */
export function piecesFor(expected: number): number {
  return Math.round(expected + MARGIN_DEVIATIONS * Math.sqrt(expected));
}

export type Baking = { readonly everySeconds: number; readonly quantity: number };

/** From so many pieces on, a day's pieces are baked in two batches: at opening, and half-way to closing. */
const SECOND_BATCH_FROM = 6;
const EVERY_SECONDS_MIN = 60;

/** Spreads a day's pieces over its batches: as many as keep the shelf fresh until closing. Undefined for none. */
export function bakingOf(pieces: number, openSeconds: number, shelfLifeMinutes: number | null): Baking | undefined {
  if (pieces <= 0) return undefined;
  const lives = shelfLifeMinutes === null ? 1 : Math.ceil(openSeconds / (shelfLifeMinutes * 60));
  const batches = Math.max(lives, pieces >= SECOND_BATCH_FROM ? 2 : 1);
  const everySeconds = Math.max(EVERY_SECONDS_MIN, Math.ceil(openSeconds / batches));
  return { everySeconds, quantity: Math.ceil(pieces / batches) };
}

/** How many pieces to buy in: up to what so many days need, once less than three days' demand is left. */
export function orderUpTo(expected: number, onShelf: number, coverDays: number): number {
  if (onShelf >= Math.max(1, piecesFor(expected * REORDER_DAYS))) return 0;
  return Math.max(0, piecesFor(expected * coverDays) - onShelf);
}

const REORDER_DAYS = 3;
