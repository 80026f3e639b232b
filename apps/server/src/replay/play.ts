import { isOpen, QUANTITY_MAX, type SiteHours } from '@provender/contracts';
import {
  addDays,
  type Instant,
  type LocalDate,
  localMoment,
  MINUTE,
  parseTimeOfDay,
  plus,
  SECOND,
} from '@provender/kernel';
import { classify, keepings } from './assortment.ts';
import {
  type Baking,
  bakingOf,
  forecast,
  NO_HISTORY,
  orderUpTo,
  piecesFor,
  SERVED_KEEPING,
  servedShare,
} from './forecast.ts';
import { idFrom } from './identity.ts';
import type { PriceList } from './prices.ts';
import type { Shop } from './shop.ts';
import {
  type DayDemand,
  endOfDay,
  type Item,
  NO_DEMAND,
  type Played,
  type ReplayState,
  weekdayOf,
  withListed,
  withTicket,
} from './state.ts';
import type { LineOutcome, ReplayStore } from './store.ts';
import { placeInTime, type Stamp, type Ticket, withNext } from './tickets.ts';
import { itemKey, type Piece } from './till.ts';

export type PlayOptions = {
  readonly identity: string;
  readonly hours: SiteHours;
  readonly prices: PriceList;
  /** Days on which the owner knew that the shop would stay shut. */
  readonly closedDays: ReadonlySet<LocalDate>;
  readonly ticketsMax: number;
};

export type Player = {
  readonly shop: Shop;
  readonly store: ReplayStore;
  readonly options: PlayOptions;
  readonly startedAt: Instant;
  /** Told after each ticket. */
  readonly onTicket: (state: ReplayState) => void;
  /** Asked before each ticket: somebody wants to stop here, and go on another time. */
  readonly mayGoOn: () => boolean;
};

/** A file with more items has been misread: its lines are listed. */
export const ITEMS_MAX = 2_000;
/** So many tickets, or lines that were not sold, are played again at most after a kill. */
const CHECKPOINT_TICKETS = 100;
/** A site around the clock opens at midnight, and what it bakes then must be planned already. */
const PLANNED_BEFORE_MIDNIGHT = MINUTE;
const CHECKPOINT_LINES = 2_000;

/**
 * Plays tickets from a state on, to the end of their last day. Gives the state then, and whether it came to the end.
 */
export async function playTickets(
  player: Player,
  tickets: AsyncIterable<Ticket>,
  from: ReplayState,
): Promise<{ readonly state: ReplayState; readonly isDone: boolean }> {
  const { shop, store, options, startedAt } = player;
  let state = from;
  let lines: LineOutcome[] = [];
  let demand: readonly DayDemand[] = [];
  let unsaved = 0;

  async function save(isDone: boolean): Promise<void> {
    // A ticket that is saved is not looked at again.
    await shop.handOver();
    await store.save({ startedAt, clock: shop.clock.now(), state, isDone, lines, demand });
    lines = [];
    demand = [];
    unsaved = 0;
  }

  async function reachDay(date: LocalDate): Promise<void> {
    if (state.day === null) {
      state = { ...state, day: date };
      await save(false);
    }
    for (let day = state.day ?? date; day < date; day = addDays(day, 1)) {
      const next = addDays(day, 1);
      await endDay(day, options.closedDays.has(next));
      state = { ...state, day: next };
      await save(false);
    }
  }

  /** All tickets of the day have been played; what comes next is planned before the day that it is for begins. */
  async function endDay(day: LocalDate, isClosedNext: boolean): Promise<void> {
    const next = addDays(day, 1);
    await shop.advance.to(plus(localMoment(next, 0, options.hours.timeZone), -PLANNED_BEFORE_MIDNIGHT));
    await shop.advance.runLate();
    const ended = endOfDay(state, day);
    demand = ended.demand;
    state = await planDay(player, ended.state, { date: next, isClosed: isClosedNext });
  }

  async function playTicket(ticket: Ticket, next: Ticket | undefined): Promise<void> {
    lines.push(...ticket.listed.map(listedLine));
    const place = placeOf(ticket, state, next);
    if (place === undefined || place.kind === 'out-of-order') {
      const reason = place?.reason ?? '';
      lines.push(...ticket.pieces.map((piece) => listedLine({ ...piece, reason })));
      state = withListed(state, ticket.listed.length + ticket.pieces.length, ticket.upToLine);
      if (ticket.isTicket) state = withEmptyTicket(state);
      return;
    }
    await reachDay(place.stamp.date);
    const moment = momentOf(place.stamp, options.hours.timeZone);
    if (moment > shop.clock.now()) await shop.advance.to(moment);
    const { known, unknown } = await introduceNew(player, state, ticket.pieces, { date: place.stamp.date, moment });
    state = known;
    lines.push(...unknown.map((piece) => listedLine({ ...piece, reason: `more than ${ITEMS_MAX} items` })));
    const pieces = ticket.pieces.filter((piece) => !unknown.includes(piece));
    if (pieces.length === 0) {
      state = withEmptyTicket(withListed(state, ticket.listed.length + unknown.length, ticket.upToLine));
      return;
    }
    const played = await sellTicket(player, state, pieces, moment);
    lines.push(...refusedLines(pieces, played));
    if (place.isMoved) state = { ...state, counts: { ...state.counts, moved: state.counts.moved + 1 } };
    state = withTicket(state, played, place.stamp, !isOpen(options.hours, moment));
    state = withListed(state, ticket.listed.length + unknown.length, ticket.upToLine);
  }

  let isDone = true;
  for await (const { value, next } of withNext(tickets)) {
    const { whole, part, refused } = state.counts.tickets;
    if (whole + part + refused >= options.ticketsMax) break;
    if (!player.mayGoOn()) {
      isDone = false;
      break;
    }
    await playTicket(value, next);
    unsaved += 1;
    if (unsaved >= CHECKPOINT_TICKETS || lines.length >= CHECKPOINT_LINES) await save(false);
    player.onTicket(state);
  }
  if (isDone && state.day !== null) {
    await endDay(state.day, true);
    await shop.advance.to(localMoment(addDays(state.day, 1), 0, options.hours.timeZone));
  }
  await save(isDone);
  return { state, isDone };
}

function placeOf(ticket: Ticket, state: ReplayState, next: Ticket | undefined) {
  const stamp = stampOf(ticket);
  if (stamp === undefined) return undefined;
  return placeInTime(stamp, state.before ?? undefined, next === undefined ? undefined : stampOf(next));
}

export function stampOf({ date, second }: Ticket): Stamp | undefined {
  return date === undefined ? undefined : { date, second };
}

/** When a wall clock in that zone shows it. In the hour that a DST night repeats, the first of the two. */
export function momentOf({ date, second }: Stamp, timeZone: string): Instant {
  return plus(localMoment(date, Math.floor(second / 60), timeZone), (second % 60) * SECOND);
}

function withEmptyTicket(state: ReplayState): ReplayState {
  const { counts } = state;
  return { ...state, counts: { ...counts, tickets: { ...counts.tickets, empty: counts.tickets.empty + 1 } } };
}

function listedLine({ line, content, reason }: { line: number; content: string; reason: string }): LineOutcome {
  return { number: line, outcome: 'listed', reason, content };
}

/** Of the pieces of one item the last ones are those that were no longer there. */
function refusedLines(pieces: readonly Piece[], { refused }: Played): LineOutcome[] {
  const left = new Map(refused);
  return pieces.toReversed().flatMap(({ line, content, item }) => {
    const key = itemKey(item);
    const short = left.get(key) ?? 0;
    if (short === 0) return [];
    left.set(key, short - 1);
    return [{ number: line, outcome: 'refused' as const, reason: `${item} was out of stock`, content }];
  });
}

/**
 * Items that the shop sees for the first time become products at this moment, with a first tray on the shelf. Gives the
 * state that knows them, and the pieces of items that are too many.
 */
async function introduceNew(
  { shop, options }: Player,
  state: ReplayState,
  pieces: readonly Piece[],
  { date, moment }: { readonly date: LocalDate; readonly moment: Instant },
) {
  const items = new Map(state.items);
  const unknown: Piece[] = [];
  const [first] = items.values();
  const isFirstDay = first === undefined || first.firstDay === date;
  for (const piece of pieces) {
    const key = itemKey(piece.item);
    if (items.has(key)) continue;
    if (items.size >= ITEMS_MAX) {
      unknown.push(piece);
      continue;
    }
    const item = newItem(piece.item, date, options);
    const { firstTray, laterTray } = keepings[item.keeping];
    const trayId = idFrom(moment, options.identity, 'tray', key);
    await shop.introduce(item, isFirstDay ? firstTray : laterTray, trayId);
    items.set(key, item);
  }
  return { known: { ...state, items }, unknown };
}

function newItem(name: string, firstDay: LocalDate, { identity, prices, hours }: PlayOptions): Item {
  const key = itemKey(name);
  const assumed = classify(name);
  const named = prices.get(key);
  return {
    productId: idFrom(localMoment(firstDay, 0, hours.timeZone), identity, 'product', key),
    name,
    keeping: assumed.keeping,
    price: named?.price ?? assumed.price,
    unitCost: named?.unitCost ?? assumed.unitCost,
    isPriceAssumed: named === undefined,
    isCostAssumed: named === undefined || named.unitCost === null,
    isNamed: assumed.isNamed,
    firstDay,
    history: NO_HISTORY,
    schedule: null,
    today: NO_DEMAND,
  };
}

async function sellTicket(
  { shop, options }: Player,
  state: ReplayState,
  pieces: readonly Piece[],
  moment: Instant,
): Promise<Played> {
  const wanted = new Map<string, number>();
  const byProduct = new Map<string, number>();
  const keys = new Map<string, string>();
  for (const { item } of pieces) {
    const key = itemKey(item);
    const productId = state.items.get(key)?.productId ?? '';
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    byProduct.set(productId, (byProduct.get(productId) ?? 0) + 1);
    keys.set(productId, key);
  }
  const firstLine = String(pieces[0]?.line ?? 0);
  const outcome = await shop.sell({
    pieces: byProduct,
    orderId: (attempt) => idFrom(moment, options.identity, 'order', firstLine, String(attempt)),
    note: `Ticket ${pieces[0]?.transaction ?? ''}, line ${firstLine}`,
  });
  const refused = new Map([...outcome.refused].map(([productId, short]) => [keys.get(productId) ?? '', short]));
  return { wanted, refused, orders: outcome.orders, revenue: outcome.total };
}

/**
 * The night's work: from the demand so far, and from nothing else, says what is baked on the coming day and what is
 * bought in for it. Done twice, it comes to the same.
 */
async function planDay(
  { shop, options }: Player,
  state: ReplayState,
  { date, isClosed }: { readonly date: LocalDate; readonly isClosed: boolean },
): Promise<ReplayState> {
  const shelf = await shop.onShelf();
  const midnight = localMoment(date, 0, options.hours.timeZone);
  const items = new Map<string, Item>();
  for (const [key, item] of state.items) {
    const plan = planItem(item, { date, isClosed, onShelf: shelf.get(item.productId) ?? 0, hours: options.hours });
    if (plan.receive > 0) {
      const batchId = idFrom(midnight, options.identity, 'receipt', key, date);
      await shop.receive(batchId, item.productId, plan.receive);
    }
    const now = item.schedule?.baking;
    if (now?.quantity === plan.baking?.quantity && now?.everySeconds === plan.baking?.everySeconds) {
      items.set(key, item);
      continue;
    }
    if (item.schedule !== null) await shop.stopBaking(item.schedule.id);
    const id = idFrom(midnight, options.identity, 'schedule', key, date);
    if (plan.baking !== undefined) await shop.bake(id, item.productId, plan.baking);
    items.set(key, { ...item, schedule: plan.baking === undefined ? null : { id, baking: plan.baking } });
  }
  await shop.settle();
  shop.advance.forget();
  return { ...state, items };
}

export type ItemPlan = { readonly receive: number; readonly baking: Baking | undefined };

type DayAhead = {
  readonly date: LocalDate;
  readonly isClosed: boolean;
  readonly onShelf: number;
  readonly hours: SiteHours;
};

/** What one item needs for a day. What keeps overnight is made or bought only as far as it is not there yet. */
export function planItem(item: Item, { date, isClosed, onShelf, hours }: DayAhead): ItemPlan {
  const rules = keepings[item.keeping];
  if (isClosed || rules.stock === 'made-to-order') return { receive: 0, baking: undefined };
  const expected = forecast(item.history, weekdayOf(date));
  if (item.keeping === 'bought-in') {
    const receive = Math.min(QUANTITY_MAX, orderUpTo(expected, onShelf, rules.coverDays));
    return { receive, baking: undefined };
  }
  const served = rules.keepsOvernight ? SERVED_KEEPING : servedShare(item.price, item.unitCost);
  const wanted = piecesFor(expected, served);
  const pieces = Math.min(QUANTITY_MAX, wanted - (rules.keepsOvernight ? onShelf : 0));
  return { receive: 0, baking: bakingOf(pieces, openSeconds(hours), rules.shelfLifeMinutes) };
}

function openSeconds({ opensAt, closesAt }: SiteHours): number {
  return ((parseTimeOfDay(closesAt) ?? 1_440) - (parseTimeOfDay(opensAt) ?? 0)) * 60;
}
