import { addDays, type LocalDate } from '@provender/kernel';
import type { CheckOutcome } from '../verify/run-check.ts';
import { type Keeping, keepings } from './assortment.ts';
import type { Books } from './books.ts';
import { type CrossCheck, crossChecks } from './cross-checks.ts';
import type { Counts, Item, ReplayState } from './state.ts';

/** What stands in both lists below, of a product and of a day. */
type Figures = {
  readonly made: number;
  readonly sold: number;
  readonly refused: number;
  readonly thrownOut: Readonly<Record<string, number>>;
  readonly wasteCost: number;
  readonly revenue: number;
};

export type ProductFigures = Figures & {
  readonly name: string;
  readonly keeping: Keeping;
  readonly price: number;
  readonly isPriceAssumed: boolean;
  readonly isCostAssumed: boolean;
  readonly isNamed: boolean;
  readonly firstDay: LocalDate;
  /** On the shelf when the replay ended. */
  readonly left: number;
  /** Of what was put on the shelf, how much was sold and how much thrown out; null for what is made to order. */
  readonly sellThrough: number | null;
  readonly wasteShare: number | null;
};

export type DayFigures = Figures & { readonly date: LocalDate; readonly hasTickets: boolean };

export type Totals = Figures & {
  readonly soldFromShelf: number;
  readonly soldMadeToOrder: number;
  readonly left: number;
  readonly sellThrough: number | null;
  readonly wasteShare: number | null;
};

export type Report = {
  readonly file: {
    readonly name: string;
    readonly sha256: string;
    readonly unusedColumns: readonly string[];
    readonly lines: number;
    readonly linesNotPlayed: number;
  };
  readonly site: {
    readonly timeZone: string;
    readonly opensAt: string;
    readonly closesAt: string;
    readonly currency: string;
  };
  readonly period: { readonly from: LocalDate | null; readonly to: LocalDate | null; readonly quietDays: LocalDate[] };
  readonly counts: Counts;
  readonly reasons: readonly { readonly outcome: string; readonly reason: string; readonly lines: number }[];
  readonly totals: Totals;
  readonly products: readonly ProductFigures[];
  readonly days: readonly DayFigures[];
  readonly assumed: readonly string[];
  readonly crossChecks: readonly CrossCheck[];
  readonly verify: {
    readonly ok: boolean;
    readonly checks: readonly { readonly promise: string; readonly name: string; readonly ok: boolean }[];
  };
};

export type ReportSource = {
  readonly file: Report['file'];
  readonly site: Report['site'];
  readonly state: ReplayState;
  readonly books: Books;
  readonly demand: readonly {
    readonly date: string;
    readonly item: string;
    readonly wanted: number;
    readonly refused: number;
  }[];
  readonly reasons: Report['reasons'];
  readonly closedDays: readonly LocalDate[];
  readonly checks: readonly CheckOutcome[];
};

type Sums = {
  made: number;
  sold: number;
  refused: number;
  thrownOut: Record<string, number>;
  wasteCost: number;
  revenue: number;
};

/**
 * Puts together what the books say; of the replay's own counts only what no book can know: who was refused, and lines.
 */
export function reportOf(source: ReportSource): Report {
  const { state, books, demand, checks } = source;
  const products = new Map<string, Sums>();
  const days = new Map<string, Sums>();
  const all = newSums();
  const places = (productId: string, date: string) => [all, sumsOf(products, productId), sumsOf(days, date)];
  for (const row of books.made) for (const sums of places(row.productId, row.date)) sums.made += row.pieces;
  for (const row of books.sold) {
    for (const sums of places(row.productId, row.date)) {
      sums.sold += row.pieces;
      sums.revenue += row.amount;
    }
  }
  for (const row of books.waste) {
    for (const sums of places(row.productId, row.date)) {
      sums.thrownOut[row.reason] = (sums.thrownOut[row.reason] ?? 0) + row.pieces;
      sums.wasteCost += row.cost;
    }
  }
  for (const { item, date, refused } of demand) {
    const productId = state.items.get(item)?.productId ?? '';
    for (const sums of places(productId, date)) sums.refused += refused;
  }
  const dates = datesOf(days, state);
  const trading = new Set(demand.map(({ date }) => date));
  return {
    ...{ file: source.file, site: source.site, counts: state.counts, reasons: source.reasons },
    period: {
      from: dates[0] ?? null,
      to: dates.at(-1) ?? null,
      quietDays: dates.filter((date) => !trading.has(date)),
    },
    totals: totalsOf(all, books),
    products: [...state.items.values()].map((item) => productFigures(item, sumsOf(products, item.productId), books)),
    days: dates.map((date) => ({ date, hasTickets: trading.has(date), ...sumsOf(days, date) })),
    assumed: assumptions(source),
    crossChecks: crossChecks(source),
    verify: {
      ok: checks.every((check) => check.ok),
      checks: checks.map(({ promise, name, ok }) => ({ promise, name, ok })),
    },
  };
}

function newSums(): Sums {
  return { made: 0, sold: 0, refused: 0, thrownOut: {}, wasteCost: 0, revenue: 0 };
}

function sumsOf(map: Map<string, Sums>, key: string): Sums {
  const found = map.get(key) ?? newSums();
  map.set(key, found);
  return found;
}

/** Every calendar day from the first to the last, also those on which nothing happened. */
function datesOf(days: ReadonlyMap<string, Sums>, { day }: ReplayState): LocalDate[] {
  const known = [...days.keys(), ...(day === null ? [] : [day])].toSorted();
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined) return [];
  const dates: LocalDate[] = [];
  for (let date = first; date <= last; date = addDays(date, 1)) dates.push(date);
  return dates;
}

function totalsOf(all: Sums, books: Books): Totals {
  const fromShelf = books.sold.filter(({ stock }) => stock === 'unit').reduce((sum, { pieces }) => sum + pieces, 0);
  return {
    ...all,
    soldFromShelf: fromShelf,
    soldMadeToOrder: all.sold - fromShelf,
    left: piecesIn(books, 'available'),
    sellThrough: share(fromShelf, all.made),
    wasteShare: share(sumOf(all.thrownOut), all.made),
  };
}

function productFigures(item: Item, sums: Sums, books: Books): ProductFigures {
  const { name, keeping, price, isPriceAssumed, isCostAssumed, isNamed, firstDay, productId } = item;
  const isShelved = keepings[keeping].stock === 'unit';
  return {
    ...{ name, keeping, price, isPriceAssumed, isCostAssumed, isNamed, firstDay },
    ...sums,
    left: piecesIn(books, 'available', productId),
    sellThrough: isShelved ? share(sums.sold, sums.made) : null,
    wasteShare: isShelved ? share(sumOf(sums.thrownOut), sums.made) : null,
  };
}

export function piecesIn(books: Books, state: string, productId?: string): number {
  const rows = books.units.filter((row) => row.state === state && (productId ?? row.productId) === row.productId);
  return rows.reduce((sum, { pieces }) => sum + pieces, 0);
}

export function sumOf(thrownOut: Readonly<Record<string, number>>): number {
  return Object.values(thrownOut).reduce((sum, pieces) => sum + pieces, 0);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;
}

function assumptions({ state, site, closedDays, demand }: ReportSource): string[] {
  const items = [...state.items.values()];
  const prices = items.filter((item) => item.isPriceAssumed).length;
  const costs = items.filter((item) => item.isCostAssumed).length;
  const guessed = items.filter((item) => !item.isNamed).map(({ name }) => name);
  const firstDay = demand[0]?.date;
  return [
    ...(prices > 0 ? [`The prices of ${prices} of ${items.length} items are assumed; --prices FILE names them.`] : []),
    ...(costs > 0 ? [`The costs of ${costs} of ${items.length} items are assumed; waste is valued with them.`] : []),
    `The shop opens at ${site.opensAt} and closes at ${site.closesAt}, ${site.timeZone}; sales outside that count too.`,
    'How an item is kept is assumed: made to order, bread for 14 hours, pastry for 12, cakes 3 days, bought in 120.',
    ...(guessed.length > 0 ? [`By words in their names, or by none: ${guessed.join(', ')}.`] : []),
    'Each night plans the next day from the tickets so far, never from later ones: a mean of the demand in which ' +
      'what is recent counts most, blended with that of the weekday; and of it as many pieces as pay.',
    `The first day${
      firstDay === undefined ? '' : ` (${firstDay})`
    } has a default tray of each item from the first time that somebody asks for it.`,
    closedDays.length > 0
      ? `Nothing was baked on ${closedDays.join(', ')}: the shop was said to stay shut.`
      : 'No day was known to stay shut: on days without a ticket the shop baked all the same (--closed names them).',
    'Every ticket was paid in cash, and what is made to order was handed over within a quarter of an hour.',
  ];
}
