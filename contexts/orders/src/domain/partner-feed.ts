import {
  isMembers,
  isOutsideLine,
  OUTSIDE_ID_LENGTH_MAX,
  OUTSIDE_QUANTITY_MAX,
  type PartnerOrderItem,
} from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

/** Orders of one feed. */
export const FEED_ORDERS_MAX = 10_000;
/** Items of one order. */
export const PARTNER_ITEMS_MAX = 500;

/** Partner orders that are kept here together: so many a reset can make new in one transaction. */
export const PARTNER_ORDERS_MAX = 50_000;

/** One order of the feed that can be read. */
export type FeedOrder = {
  /** Where in the feed, counted from 0. */
  readonly place: number;
  readonly number: string;
  readonly items: readonly PartnerOrderItem[];
  readonly totalQuantity: number;
};

/** What was not taken, and why. */
export type FeedReport = {
  readonly place: number;
  readonly number?: string;
  readonly kind: 'broken' | 'changed';
  readonly detail: string;
};

export type PartnerFeed = { readonly orders: readonly FeedOrder[]; readonly broken: readonly FeedReport[] };

export type BrokenFeed = { readonly kind: 'broken-feed'; readonly detail: string };

/**
 * Reads the partner's feed order by order: what can be read is taken, what cannot is reported. An order that breaks a
 * rule of ours, such as a quantity below one, can be read: it is processed like any other, and fails. A number that
 * stands there twice counts once where both are alike, and is broken where they differ: nobody knows which is meant.
 * Refuses a document that is no feed at all, and one of more orders than are believed.
 */
export function readPartnerFeed(document: unknown): Result<PartnerFeed, BrokenFeed> {
  const listed = isMembers(document) ? document['orders'] : undefined;
  if (!Array.isArray(listed)) return broken('The feed has no list of orders.');
  if (listed.length > FEED_ORDERS_MAX) return broken(`The feed has more than ${FEED_ORDERS_MAX} orders.`);
  const read = listed.map((value: unknown, place) => readOrder(value, place));
  const byNumber = Map.groupBy(
    read.filter((each): each is FeedOrder => 'items' in each),
    ({ number }) => number,
  );
  const orders: FeedOrder[] = [];
  const reports = read.filter((each): each is FeedReport => 'kind' in each);
  for (const [number, alike] of byNumber) {
    const [first] = alike;
    if (first === undefined) continue;
    if (alike.every((each) => isSameOrder(first, each))) orders.push(first);
    else {
      const detail = 'stands there more than once, with different items';
      reports.push(...alike.map(({ place }): FeedReport => ({ place, number, kind: 'broken', detail })));
    }
  }
  return accept({ orders, broken: reports.toSorted((left, right) => left.place - right.place) });
}

function broken(detail: string) {
  return refuse({ kind: 'broken-feed', detail } as const);
}

function readOrder(value: unknown, place: number): FeedOrder | FeedReport {
  if (!isMembers(value)) return { place, kind: 'broken', detail: 'is no object' };
  const { number, items: listed } = value;
  if (!isOutsideLine(number, OUTSIDE_ID_LENGTH_MAX)) return { place, kind: 'broken', detail: 'has no number' };
  const report = (detail: string): FeedReport => ({ place, number, kind: 'broken', detail });
  if (!Array.isArray(listed)) return report('has no list of items');
  if (listed.length > PARTNER_ITEMS_MAX) return report(`has more than ${PARTNER_ITEMS_MAX} items`);
  const items: PartnerOrderItem[] = [];
  for (const [nth, item] of listed.entries()) {
    const { sku, quantity } = isMembers(item) ? item : {};
    if (!isOutsideLine(sku, OUTSIDE_ID_LENGTH_MAX)) return report(`names no item in line ${nth}`);
    if (!isReadable(quantity)) return report(`has a quantity in line ${nth} that is no number, or absurd`);
    items.push({ sku, quantity });
  }
  return { place, number, items, totalQuantity: items.reduce((sum, { quantity }) => sum + quantity, 0) };
}

function isReadable(quantity: unknown): quantity is number {
  return typeof quantity === 'number' && Math.abs(quantity) <= OUTSIDE_QUANTITY_MAX;
}

type Lines = { readonly items: readonly PartnerOrderItem[] };

/** True where both want the same, in the same order of lines. */
export function isSameOrder(left: Lines, right: Lines): boolean {
  return (
    left.items.length === right.items.length &&
    left.items.every(
      ({ sku, quantity }, nth) => sku === right.items[nth]?.sku && quantity === right.items[nth]?.quantity,
    )
  );
}

/** What an import makes of a feed, given those of its orders that are here already. */
export type ImportPlan = {
  readonly fresh: readonly FeedOrder[];
  readonly left: readonly FeedReport[];
  readonly known: number;
  readonly changed: readonly FeedReport[];
};

/**
 * Sorts orders into new ones, known ones, and those that read differently now: these stay as they were imported. Of the
 * new ones, those for which there is no room are broken. `hereCount`: how many are here in all.
 */
export function planImport(
  orders: readonly FeedOrder[],
  here: ReadonlyMap<string, Lines>,
  hereCount: number,
): ImportPlan {
  const unknown = orders.filter(({ number }) => !here.has(number));
  const room = Math.max(0, PARTNER_ORDERS_MAX - hereCount);
  const changed = orders.flatMap(({ place, number, items }): FeedReport[] => {
    const kept = here.get(number);
    if (kept === undefined || isSameOrder(kept, { items })) return [];
    return [{ place, number, kind: 'changed', detail: 'has other items than when it was imported' }];
  });
  const detail = `finds no room: ${PARTNER_ORDERS_MAX} partner orders are kept at most`;
  const left = unknown.slice(room).map(({ place, number }): FeedReport => ({ place, number, kind: 'broken', detail }));
  return { fresh: unknown.slice(0, room), left, known: orders.length - unknown.length - changed.length, changed };
}
