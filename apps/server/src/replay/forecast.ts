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

/** What the last piece must be worth: where price and cost say something extreme, somebody has mistyped them. */
const SERVED_MIN = 0.5;
const SERVED_MAX = 0.95;
/** What is left of goods that keep is sold the next day, so nearly everybody may be served. */
export const SERVED_KEEPING = SERVED_MAX;
/** From here on the counts of customers are as good as normally distributed. */
const NORMAL_FROM = 100;
const LOGISTIC_TO_NORMAL = 1.702;

/**
 * On what share of days nobody should be sent away: one more piece pays as long as it is sold with a higher probability
 * than its cost is of its price.
 */
export function servedShare(price: number, unitCost: number): number {
  const share = price === 0 ? SERVED_MIN : (price - unitCost) / price;
  return Math.min(SERVED_MAX, Math.max(SERVED_MIN, share));
}

/**
 * The fewest pieces that are enough on that share of days, where customers come by themselves and so many are expected:
 * a quantile of the Poisson distribution.
 */
export function piecesFor(expected: number, served: number): number {
  if (expected <= 0) return 0;
  if (expected > NORMAL_FROM) {
    const deviations = Math.log(served / (1 - served)) / LOGISTIC_TO_NORMAL;
    return Math.ceil(expected + deviations * Math.sqrt(expected));
  }
  let pieces = 0;
  let probability = Math.exp(-expected);
  // A hundred are expected at most: ten times as many are enough on every day.
  for (let enough = probability; enough < served && pieces < 10 * NORMAL_FROM; enough += probability) {
    pieces += 1;
    probability *= expected / pieces;
  }
  return pieces;
}

export type Baking = { readonly everySeconds: number; readonly quantity: number };

const EVERY_SECONDS_MIN = 60;

/**
 * Spreads a day's pieces over as few batches, from opening on, as keep the shelf fresh until closing. Undefined for
 * none.
 */
export function bakingOf(pieces: number, openSeconds: number, shelfLifeMinutes: number | null): Baking | undefined {
  if (pieces <= 0) return undefined;
  const batches = shelfLifeMinutes === null ? 1 : Math.ceil(openSeconds / (shelfLifeMinutes * 60));
  const everySeconds = Math.max(EVERY_SECONDS_MIN, Math.ceil(openSeconds / batches));
  return { everySeconds, quantity: Math.ceil(pieces / Math.ceil(openSeconds / everySeconds)) };
}

/** How many pieces to buy in: up to what so many days need, once less than three days' need is left. */
export function orderUpTo(expected: number, onShelf: number, coverDays: number): number {
  if (onShelf >= Math.max(1, piecesFor(expected * REORDER_DAYS, SERVED_KEEPING))) return 0;
  return Math.max(0, piecesFor(expected * coverDays, SERVED_KEEPING) - onShelf);
}

const REORDER_DAYS = 3;
