import { defineProduct, defineSite } from '@provender/catalog';
import type { ContextName, ProductDraft, SiteDraft } from '@provender/contracts';
import { HOLD_EXPIRY, readStock, receiveGoods } from '@provender/inventory';
import { formatDuration, MINUTE, money, type Refusal, type Result, SECOND } from '@provender/kernel';
import { changeStatus, type Order, type PlaceOrder, type PlaceOutcome } from '@provender/orders';
import type { ManualClock, RunningContext } from '@provender/platform';
import { bakeBatch, defineSchedule, endSchedule } from '@provender/production';
import { type Advance, openAdvance } from '../advance.ts';
import type { System } from '../system.ts';
import { keepings } from './assortment.ts';
import type { Decision, Decisions } from './decisions.ts';
import type { Baking } from './forecast.ts';
import { inTime, settleSystem } from './settle.ts';
import type { Item } from './state.ts';

export type ShopSite = SiteDraft & { readonly id: string };

/** A ticket as the counter takes it: pieces by product. `id` gives the same ids for the same ticket. */
export type CounterSale = {
  readonly pieces: ReadonlyMap<string, number>;
  readonly orderId: (attempt: number) => string;
  readonly note: string;
};

/** What could be had of a ticket, and what it took. */
export type SaleOutcome = {
  readonly refused: ReadonlyMap<string, number>;
  readonly orders: number;
  readonly total: number;
};

/**
 * The people of the shop, at work in the running system: everything they do, they do by the use cases of the contexts.
 */
export type Shop = {
  readonly clock: ManualClock;
  readonly advance: Advance;
  settle(): Promise<void>;
  openSite(site: ShopSite): Promise<void>;
  /** Takes an item into the range, and puts a first tray of it on the shelf. */
  introduce(item: Item, tray: number, trayId: string): Promise<void>;
  bake(scheduleId: string, productId: string, baking: Baking): Promise<void>;
  stopBaking(scheduleId: string): Promise<void>;
  receive(batchId: string, productId: string, quantity: number): Promise<void>;
  onShelf(): Promise<ReadonlyMap<string, number>>;
  sell(sale: CounterSale): Promise<SaleOutcome>;
  /** Hands over what is made to order and has been paid. */
  handOver(): Promise<void>;
};

/** First what the ticket says, then what is left of it; a third time only if the shelf has changed under it. */
const ATTEMPTS_MAX = 4;

export type ShopOptions = {
  readonly site: ShopSite;
  readonly staffId: string;
  readonly clock: ManualClock;
  readonly decisions: Decisions;
};

export function openShop(system: System, { site, staffId, clock, decisions }: ShopOptions): Shop {
  const settle = () => settleSystem(system);
  const kitchen = openKitchen(contextOf(system, 'orders'), staffId, clock);
  async function handOver(): Promise<void> {
    await kitchen.handOver();
    await settle();
  }

  const advance = openAdvance(system, clock, {
    settle,
    beforeStop: handOver,
    // Every few seconds; but between two tickets no hold is open, for each is settled before the clock moves on.
    lateJobs: [HOLD_EXPIRY],
  });
  const { currency } = site;
  const siteId = site.id;

  async function receive(batchId: string, productId: string, quantity: number): Promise<void> {
    const draft = { siteId, productId, quantity };
    await databaseOf(system, 'inventory').withTx((tx) =>
      accepted(receiveGoods(tx, system.ids, batchId, draft, clock.now())),
    );
  }

  return {
    clock,
    advance,
    settle,
    async openSite({ id, ...draft }) {
      await databaseOf(system, 'catalog').withTx((tx) => accepted(defineSite(tx, id, draft)));
      await settle();
      advance.forget();
    },
    async introduce(item, tray, trayId) {
      const { productId } = item;
      await databaseOf(system, 'catalog').withTx((tx) =>
        accepted(defineProduct(tx, { productId, variationIds: [] }, productDraft(item, currency))),
      );
      await settle();
      if (tray === 0) return;
      if (item.keeping === 'bought-in') await receive(trayId, productId, tray);
      else {
        const draft = { siteId, productId, quantity: tray };
        await databaseOf(system, 'production').withTx((tx) => accepted(bakeBatch(tx, trayId, draft, clock.now())));
      }
      await settle();
    },
    async bake(scheduleId, productId, { everySeconds, quantity }) {
      const draft = { siteId, productId, every: formatDuration(everySeconds * SECOND), quantity };
      await databaseOf(system, 'production').withTx((tx) =>
        accepted(defineSchedule(tx, scheduleId, draft, clock.now())),
      );
    },
    async stopBaking(scheduleId) {
      // Refused where it has ended already: a replay that was killed in this night does it again.
      await databaseOf(system, 'production').withTx((tx) => endSchedule(tx, scheduleId, clock.now()));
    },
    receive,
    async onShelf() {
      const stock = await readStock(databaseOf(system, 'inventory'), siteId, clock.now());
      return new Map(stock.map(({ productId, available }) => [productId, available]));
    },
    async sell(sale) {
      const outcome = await sell(contextOf(system, 'orders'), { siteId, staffId, decisions, kitchen }, sale);
      await settle();
      return outcome;
    },
    handOver,
  };
}

type Counter = {
  readonly siteId: string;
  readonly staffId: string;
  readonly decisions: Decisions;
  readonly kitchen: Kitchen;
};

/**
 * Sells a ticket over the counter. An order is had whole or not at all: where something is short, the customer takes
 * the rest, and that is another order.
 */
async function sell(orders: RunningContext, counter: Counter, { pieces, orderId, note }: CounterSale) {
  const refused = new Map<string, number>();
  const wanted = new Map(pieces);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    if (wanted.size === 0) return { refused, orders: attempt - 1, total: 0 };
    const decision = await place(orders, counter, { orderId: orderId(attempt), wanted, note });
    if (decision.kind === 'paid') return { refused, orders: attempt, total: decision.total };
    if (decision.kind === 'rejected') throw new Error('A counter sale was rejected, and not for want of stock');
    for (const { productId, wanted: asked, available } of decision.shortages) {
      refused.set(productId, (refused.get(productId) ?? 0) + asked - available);
      if (available === 0) wanted.delete(productId);
      else wanted.set(productId, available);
    }
  }
  throw new Error('A shelf changes while nobody sells from it');
}

type Placing = { readonly orderId: string; readonly wanted: ReadonlyMap<string, number>; readonly note: string };

/**
 * Places one order, waits for its decision, and hands it over. Placed already by a run that was killed, it stays so.
 */
async function place(orders: RunningContext, counter: Counter, { orderId, wanted, note }: Placing): Promise<Decision> {
  const { siteId, staffId, decisions, kitchen } = counter;
  const lines = [...wanted].map(([productId, quantity]) => ({ productId, quantity }));
  const command: PlaceOrder = {
    orderId,
    placedBy: staffId,
    customerId: null,
    placement: { siteId, channel: 'counter', tender: 'cash', received: null, lines },
    note,
    key: undefined,
  };
  const decided = decisions.of(orderId);
  // The intake of orders answers each of its commands with one of these.
  const outcome = (await inTime(orders.reactor.submit(command))) as PlaceOutcome;
  if (outcome.kind !== 'placed') throw new Error(`A counter sale was refused: ${JSON.stringify(outcome)}`);
  const decision = decisionOf(outcome.order) ?? (await inTime(decided));
  if (decision.kind !== 'paid' || decision.isHandedOver) return decision;
  kitchen.waiting.push(orderId);
  return decision;
}

type Kitchen = {
  /** Orders that are paid and wait for something to be made. */
  readonly waiting: string[];
  handOver(): Promise<void>;
};

/**
 * Makes what is made to order, and hands it over. In rounds: before the clock comes to the next timer, and so within a
 * quarter of an hour and before the shop closes. What one round hands over shares its round trips.
 */
function openKitchen(orders: RunningContext, staffId: string, clock: ManualClock): Kitchen {
  const waiting: string[] = [];
  return {
    waiting,
    async handOver() {
      if (waiting.length === 0) return;
      const now = clock.now();
      await orders.db.withTx(async (tx) => {
        await Promise.all(waiting.map((orderId) => accepted(changeStatus(tx, orderId, 'ready', staffId, now))));
        await Promise.all(waiting.map((orderId) => accepted(changeStatus(tx, orderId, 'delivered', staffId, now))));
      });
      waiting.length = 0;
    },
  };
}

/** What an order that was placed by an earlier run has come to; undefined while it is being decided. */
function decisionOf({ status, rejection, totalAmount }: Order): Decision | undefined {
  if (status === 'placed') return undefined;
  if (rejection?.kind === 'insufficient-stock') return { kind: 'short', shortages: rejection.shortages };
  if (status === 'rejected') return { kind: 'rejected' };
  return { kind: 'paid', isHandedOver: status === 'delivered', total: totalAmount };
}

function productDraft(item: Item, currency: string): ProductDraft {
  const { label, stock, shelfLifeMinutes, keepsOvernight, closingDiscountPercent } = keepings[item.keeping];
  return {
    sku: `TILL-${item.productId.slice(-12).toUpperCase()}`,
    name: item.name,
    category: label,
    price: money(item.price, currency),
    unitCost: money(item.unitCost, currency),
    stock,
    ...(shelfLifeMinutes === null ? {} : { shelfLife: formatDuration(shelfLifeMinutes * MINUTE) }),
    keepsOvernight,
    closingDiscountPercent,
  };
}

/** What the replay asks for is never refused; if it is, the replay is wrong and says where. */
async function accepted<Value>(result: Promise<Result<Value, Refusal>>): Promise<Value> {
  const outcome = await result;
  if (!outcome.ok) throw new Error(`The shop was refused: ${JSON.stringify(outcome.refusal)}`);
  return outcome.value;
}

export function contextOf(system: System, context: ContextName): RunningContext {
  const running = system.contexts.get(context);
  if (running === undefined) throw new Error(`The context ${context} does not run here`);
  return running;
}

function databaseOf(system: System, context: ContextName) {
  return contextOf(system, context).db;
}
