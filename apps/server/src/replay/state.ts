import type { LocalDate } from '@provender/kernel';
import type { Keeping } from './assortment.ts';
import { type Baking, type DemandHistory, learn } from './forecast.ts';
import type { Stamp } from './tickets.ts';

/** An item of the till as the shop has come to know it: a product, and what was asked for of it so far. */
export type Item = {
  readonly productId: string;
  readonly name: string;
  readonly keeping: Keeping;
  readonly price: number;
  readonly unitCost: number;
  readonly isPriceAssumed: boolean;
  readonly isCostAssumed: boolean;
  /** True where the list of items names it; else its name was guessed at. */
  readonly isNamed: boolean;
  readonly firstDay: LocalDate;
  readonly history: DemandHistory;
  readonly schedule: { readonly id: string; readonly baking: Baking } | null;
  readonly today: Demand;
};

/** Pieces of one item on one day. What was not refused was sold. */
export type Demand = { readonly wanted: number; readonly refused: number };

export type Counts = {
  /** Lines after the header; each is sold, refused or listed. */
  readonly lines: number;
  readonly sold: number;
  readonly refused: number;
  readonly listed: number;
  readonly tickets: { readonly whole: number; readonly part: number; readonly refused: number; readonly empty: number };
  /** Orders placed: a ticket that could not be had whole is asked for again without what is short. */
  readonly orders: number;
  readonly outsideHours: number;
  readonly moved: number;
  readonly revenue: number;
};

/** All that a replay knows, so that it can go on after any end. Kept in the database that it plays in. */
export type ReplayState = {
  readonly nextLine: number;
  /** When the latest ticket was played, by the clock on the wall. */
  readonly before: Stamp | null;
  /** The calendar day that is being played, and how many tickets it has had. */
  readonly day: LocalDate | null;
  readonly ticketsToday: number;
  readonly counts: Counts;
  /** By the key of the item, in the order in which they were first seen. */
  readonly items: ReadonlyMap<string, Item>;
};

export const NO_DEMAND: Demand = { wanted: 0, refused: 0 };

export const NEW_STATE: ReplayState = {
  nextLine: 2,
  before: null,
  day: null,
  ticketsToday: 0,
  counts: {
    ...{ lines: 0, sold: 0, refused: 0, listed: 0, orders: 0, outsideHours: 0, moved: 0, revenue: 0 },
    tickets: { whole: 0, part: 0, refused: 0, empty: 0 },
  },
  items: new Map(),
};

/** The state as JSON can hold it: the items as pairs, for an item may have any name. */
export type StateJson = Omit<ReplayState, 'items'> & { readonly items: readonly (readonly [string, Item])[] };

export function stateJson(state: ReplayState): StateJson {
  return { ...state, items: [...state.items] };
}

export function stateFrom(json: StateJson): ReplayState {
  return { ...json, items: new Map(json.items) };
}

/** What became of one ticket. */
export type Played = {
  readonly wanted: ReadonlyMap<string, number>;
  readonly refused: ReadonlyMap<string, number>;
  readonly orders: number;
  readonly revenue: number;
};

/** Counts a ticket that was played: each of its pieces is a line, and was sold or refused. */
export function withTicket(state: ReplayState, played: Played, stamp: Stamp, isOutsideHours: boolean): ReplayState {
  const wanted = sum(played.wanted.values());
  const refused = sum(played.refused.values());
  const { counts } = state;
  const became = refused === 0 ? 'whole' : refused < wanted ? 'part' : 'refused';
  const items = new Map(state.items);
  for (const [key, pieces] of played.wanted) {
    const item = items.get(key);
    if (item === undefined) throw new Error(`A ticket was played with an item that is not known: ${key}`);
    const { today } = item;
    const refusedToday = today.refused + (played.refused.get(key) ?? 0);
    items.set(key, { ...item, today: { wanted: today.wanted + pieces, refused: refusedToday } });
  }
  return {
    ...state,
    before: stamp,
    ticketsToday: state.ticketsToday + 1,
    items,
    counts: {
      ...counts,
      lines: counts.lines + wanted,
      sold: counts.sold + wanted - refused,
      refused: counts.refused + refused,
      tickets: { ...counts.tickets, [became]: counts.tickets[became] + 1 },
      orders: counts.orders + played.orders,
      outsideHours: counts.outsideHours + (isOutsideHours ? 1 : 0),
      revenue: counts.revenue + played.revenue,
    },
  };
}

/** Counts lines that were listed, and goes on behind them. */
export function withListed(state: ReplayState, listed: number, upToLine: number): ReplayState {
  const { counts } = state;
  return {
    ...state,
    nextLine: upToLine + 1,
    counts: { ...counts, lines: counts.lines + listed, listed: counts.listed + listed },
  };
}

export type DayDemand = { readonly item: string; readonly date: LocalDate } & Demand;

/**
 * Ends a day: what was asked for becomes history, from which the next days are planned. A day without any ticket was no
 * trading day and teaches nothing.
 */
export function endOfDay(state: ReplayState, date: LocalDate): { state: ReplayState; demand: readonly DayDemand[] } {
  const hasTraded = state.ticketsToday > 0;
  const demand: DayDemand[] = [];
  const items = new Map<string, Item>();
  for (const [key, item] of state.items) {
    if (item.today.wanted > 0) demand.push({ item: key, date, ...item.today });
    const history = hasTraded ? learn(item.history, weekdayOf(date), item.today.wanted) : item.history;
    items.set(key, { ...item, history, today: NO_DEMAND });
  }
  return { state: { ...state, items, ticketsToday: 0 }, demand };
}

/** 0 is Monday. */
export function weekdayOf(date: LocalDate): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
