import { isClosingDiscountTime, isOpen, type Said } from '@provender/contracts';
import { formatInstant, type Instant, MINUTE } from '@provender/kernel';
import type { Clock, Intake, Tx } from '@provender/platform';
import type { Order } from '../domain/order.ts';
import {
  decidePlacement,
  type Placement,
  type PlacementRefusal,
  type PricedOrder,
  type SellingSite,
} from '../domain/placement.ts';
import {
  type FoundRefusal,
  insertOrders,
  type KeyedOrder,
  type KeyOfCaller,
  keepRefusals,
  keyName,
  type NewOrder,
  type PlacementKey,
  readOrders,
  readOrdersByKey,
  readPriceList,
  readRefusals,
  readSites,
  type SiteRow,
} from '../store.ts';

/** The command that the intake takes. Its id is made before, so that it may be run twice. */
export type PlaceOrder = {
  readonly orderId: string;
  readonly placedBy: string;
  readonly customerId: string | null;
  readonly placement: Placement;
  readonly note: string | null;
  readonly key: PlacementKey | undefined;
  /** W3C trace context of the request. */
  readonly traceparent?: string;
};

export type PlaceOutcome =
  /** The order stands; what becomes of it, inventory and bank decide. `isRepeat`: an earlier request placed it. */
  | { readonly kind: 'placed'; readonly order: Order; readonly isRepeat: boolean }
  | { readonly kind: 'refused'; readonly refusal: PlacementRefusal; readonly isRepeat: boolean }
  | { readonly kind: 'key-reused' };

const KEY_REUSED: PlaceOutcome = { kind: 'key-reused' };

/** Statuses of the refusals of a placing, for the answer and for what is kept for its repeats. */
export const placementProblems = {
  'not-found': 404,
  'site-closed': 409,
  'product-unavailable': 409,
  'total-too-large': 409,
  'currency-mismatch': 409,
  'received-too-little': 409,
} as const;

/** Takes orders in sets: one look at sites and prices, one insert, whatever the size of the set. */
export function openIntake(clock: Clock): Intake {
  const sellingSite = siteClock();
  // Only the route of this context submits, and it submits nothing else.
  return { handle: (commands, tx) => placeOrders(commands as readonly PlaceOrder[], tx, clock.now(), sellingSite) };
}

type SiteClock = (site: SiteRow | undefined, now: Instant) => SellingSite | undefined;
type Unsettled = {
  readonly index: number;
  readonly command: PlaceOrder;
  readonly refusal: PlacementRefusal | undefined;
};

async function placeOrders(commands: readonly PlaceOrder[], tx: Tx, now: Instant, sellingSite: SiteClock) {
  const [sites, priceList] = await Promise.all([
    readSites(tx, [...new Set(commands.map((command) => command.placement.siteId))]),
    readPriceList(tx, [
      ...new Set(commands.flatMap((command) => command.placement.lines.map((line) => line.productId))),
    ]),
  ]);
  const placed: NewOrder[] = [];
  const refusals = new Map<number, PlacementRefusal>();
  commands.forEach((command, index) => {
    const { placement } = command;
    const decided = decidePlacement(placement, sellingSite(sites.get(placement.siteId), now), priceList);
    if (decided.ok) placed.push({ order: newOrder(command, decided.value, now), key: command.key });
    else refusals.set(index, decided.refusal);
  });
  const inserted = placed.length === 0 ? new Set<string>() : await insertOrders(tx, placed, now);
  const orders = new Map<string, Order>();
  for (const { order } of placed) if (inserted.has(order.id)) orders.set(order.id, order);
  tx.append(
    commands.flatMap(({ orderId, traceparent }): Said[] => {
      const order = orders.get(orderId);
      return order === undefined ? [] : [orderPlaced(order, traceparent)];
    }),
  );

  const unsettled: Unsettled[] = [];
  const outcomes = commands.map((command, index): PlaceOutcome | undefined => {
    const order = orders.get(command.orderId);
    if (order !== undefined) return { kind: 'placed', order, isRepeat: false };
    const refusal = refusals.get(index);
    if (refusal !== undefined && command.key === undefined) return { kind: 'refused', refusal, isRepeat: false };
    unsettled.push({ index, command, refusal });
    return undefined;
  });
  const settled = unsettled.length === 0 ? [] : await settleRepeats(tx, unsettled);
  unsettled.forEach(({ index }, place) => {
    outcomes[index] = settled[place];
  });
  return outcomes;
}

/**
 * The few that were not simply placed: repeats of a key, refusals that bind a key, and orders of a set that is run
 * again because nobody knew whether it was committed. An order that a key placed counts before a refusal.
 */
async function settleRepeats(tx: Tx, unsettled: readonly Unsettled[]): Promise<PlaceOutcome[]> {
  const keys = unsettled.flatMap(({ command }) => keyOf(command) ?? []);
  const kept = unsettled.flatMap(({ command, refusal }) => {
    const key = keyOf(command);
    return refusal === undefined || key === undefined ? [] : [{ key, refusal, status: statusOf(refusal) }];
  });
  const firstRefused = kept.length === 0 ? new Set<string>() : await keepRefusals(tx, kept);
  const [own, byKey, refused] = await Promise.all([
    readOrders(
      tx,
      unsettled.map(({ command }) => command.orderId),
    ),
    readOrdersByKey(tx, keys),
    readRefusals(tx, keys),
  ]);
  const placedByKey = new Map(byKey.map((order) => [`${order.placedBy}\n${order.key}`, order]));
  return unsettled.map(({ command }) => {
    const order = own.get(command.orderId);
    if (order !== undefined) return { kind: 'placed', order, isRepeat: false };
    const key = keyOf(command);
    if (key === undefined) throw new Error(`The order ${command.orderId} was neither placed nor refused`);
    const name = keyName(key);
    const isRepeat = !firstRefused.delete(name);
    return repeatOf(key, placedByKey.get(`${key.placedBy}\n${key.key}`), refused.get(name), isRepeat);
  });
}

function repeatOf(
  key: KeyOfCaller,
  order: KeyedOrder | undefined,
  refused: FoundRefusal | undefined,
  isRepeat: boolean,
): PlaceOutcome {
  if (order !== undefined) {
    return order.requestHash.equals(key.requestHash) ? { kind: 'placed', order, isRepeat: true } : KEY_REUSED;
  }
  if (refused === undefined) throw new Error('A key was bound neither to an order nor to a refusal');
  if (!refused.requestHash.equals(key.requestHash)) return KEY_REUSED;
  return { kind: 'refused', refusal: refused.refusal, isRepeat };
}

function keyOf({ key, placedBy }: PlaceOrder): KeyOfCaller | undefined {
  return key === undefined ? undefined : { ...key, placedBy };
}

function statusOf(refusal: PlacementRefusal): number {
  return placementProblems[refusal.kind === 'site-unknown' ? 'not-found' : refusal.kind];
}

function newOrder(command: PlaceOrder, { lines, total }: PricedOrder, now: Instant): Order {
  const { placement } = command;
  const isCash = placement.tender === 'cash';
  return {
    id: command.orderId,
    siteId: placement.siteId,
    customerId: command.customerId,
    placedBy: command.placedBy,
    channel: placement.channel,
    tender: placement.tender,
    // Cash of which nobody said how much it was is taken to have been counted out.
    receivedAmount: isCash ? (placement.received?.amount ?? total.amount) : null,
    status: 'placed',
    reason: null,
    rejection: null,
    lines,
    totalAmount: total.amount,
    currency: total.currency,
    note: command.note,
    placedAt: now,
    history: [{ status: 'placed', at: formatInstant(now), by: command.placedBy }],
  };
}

function orderPlaced(order: Order, traceparent: string | undefined): Said {
  return {
    type: 'orders.order-placed.v1',
    key: order.siteId,
    subject: order.id,
    ...(traceparent === undefined ? {} : { traceparent }),
    data: {
      orderId: order.id,
      siteId: order.siteId,
      channel: order.channel,
      ...(order.customerId === null ? {} : { customerId: order.customerId }),
      placedAt: formatInstant(order.placedAt),
      tender: order.tender,
      lines: [...order.lines],
      total: { amount: order.totalAmount, currency: order.currency },
    },
  };
}

const SITES_REMEMBERED_MAX = 1_000;

/**
 * What the clock on each site's wall says, worked out once a minute: calendar arithmetic costs more than pricing an
 * order, and shops open and close on the minute.
 */
function siteClock(): SiteClock {
  const remembered = new Map<
    string,
    { readonly selling: SellingSite; readonly hours: string; readonly minute: number }
  >();
  return (site, now) => {
    if (site === undefined) return undefined;
    const minute = Math.floor(now / MINUTE);
    const hours = `${site.timeZone} ${site.opensAt} ${site.closesAt} ${site.currency}`;
    const known = remembered.get(site.id);
    if (known?.minute === minute && known.hours === hours) return known.selling;
    const { id, currency } = site;
    const selling = { id, currency, isOpen: isOpen(site, now), isClosingTime: isClosingDiscountTime(site, now) };
    if (remembered.size >= SITES_REMEMBERED_MAX) remembered.clear();
    remembered.set(id, { selling, hours, minute });
    return selling;
  };
}
