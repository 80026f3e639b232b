import type { EventData, EventType, LiveMessage, RecordedEvent } from '@provender/contracts';
import { type Instant, localDate, parseInstant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Addressed, addressesOf, type Audience, type Listener, type WasteStep } from '../domain/audience.ts';
import { liveOrder } from '../domain/live.ts';
import { type Notice, noticeOf, soldOut, wastePassed } from '../domain/notice.ts';
import { isSoldOut, shelfSteps } from '../domain/shelf.ts';
import {
  addWaste,
  changeStock,
  readListeners,
  readListenersOfTheHouse,
  readSites,
  saveOrders,
  savePeople,
  saveProducts,
  saveRoles,
  saveSites,
} from '../store/copies.ts';
import { sayLive } from '../store/live.ts';
import { saveMessages } from '../store/messages.ts';
import { readReceivers } from '../store/webhooks.ts';

export type HearingPlace = {
  readonly now: Instant;
  readonly nextId: () => string;
  /** Notices are published for other programs as well. */
  readonly publishes: boolean;
  readonly note: () => void;
};

/** A notice, and how waste has grown where it is of waste. */
type Told = { readonly notice: Notice; readonly waste?: WasteStep };

/**
 * Takes a set of events of one context, as they were said: keeps copies of what they tell, says live what has changed,
 * and writes down who is to be told of what. All of it in as few statements as there are kinds of work, however many
 * events there are: this listens to every purchase.
 */
export async function hearEvents(tx: Tx, events: readonly RecordedEvent[], place: HearingPlace): Promise<void> {
  await keepCopies(tx, events);
  const shelves = await followShelves(tx, events, place);
  const waste = await followWaste(tx, events, place);
  const notices = events.map(noticeOf).filter((notice) => notice !== undefined);
  const told: Told[] = [...notices.map((notice) => ({ notice })), ...shelves.told, ...waste];
  if (told.length > 0) await writeMessages(tx, told, place);
  const orders = events.map(liveOrder).filter((message) => message !== undefined);
  await sayLive(tx, [...orders, ...shelves.live], place.now);
}

/** The data of the events of one type, in order. */
function dataOf<Type extends EventType>(events: readonly RecordedEvent[], type: Type): EventData<Type>[] {
  // The type says which data the event has; the log took nothing else.
  return events.filter((event) => event.type === type).map(({ data }) => data as EventData<Type>);
}

async function keepCopies(tx: Tx, events: readonly RecordedEvent[]): Promise<void> {
  await savePeople(tx, dataOf(events, 'identity.user-registered.v1'));
  await saveRoles(tx, dataOf(events, 'identity.roles-changed.v1'));
  await saveSites(tx, dataOf(events, 'catalog.site-defined.v1'));
  await saveProducts(tx, dataOf(events, 'catalog.product-defined.v1'));
  await saveOrders(tx, dataOf(events, 'orders.order-placed.v1'));
}

async function followShelves(
  tx: Tx,
  events: readonly RecordedEvent[],
  { nextId }: HearingPlace,
): Promise<{ live: LiveMessage[]; told: Told[] }> {
  const steps = shelfSteps(events);
  if (steps.length === 0) return { live: [], told: [] };
  const counts = await changeStock(tx, steps);
  const byKey = new Map(steps.map((step) => [`${step.siteId} ${step.productId}`, step]));
  const live: LiveMessage[] = [];
  const told: Told[] = [];
  for (const { siteId, productId, available } of counts) {
    const step = byKey.get(`${siteId} ${productId}`);
    if (step === undefined) continue;
    const { time: eventAt, traceparent } = step.last;
    live.push({ topic: 'stock', type: 'stock-changed', at: eventAt, siteId, productId, available });
    if (!isSoldOut({ before: available - step.delta, after: available })) continue;
    told.push({ notice: soldOut({ eventId: nextId(), eventAt, traceparent }, siteId, productId) });
  }
  return { live, told };
}

async function followWaste(tx: Tx, events: readonly RecordedEvent[], { nextId }: HearingPlace): Promise<Told[]> {
  const thrownOut = events.filter(({ type }) => type === 'inventory.units-discarded.v1');
  if (thrownOut.length === 0) return [];
  const discarded = dataOf(thrownOut, 'inventory.units-discarded.v1');
  const sites = await readSites(
    tx,
    discarded.map(({ siteId }) => siteId),
  );
  const told: Told[] = [];
  for (const [index, { siteId, units }] of discarded.entries()) {
    const site = sites.get(siteId);
    const { time: eventAt = '', traceparent } = thrownOut[index] ?? {};
    const moment = parseInstant(eventAt);
    if (site === undefined || moment === undefined) continue;
    const added = units.reduce((sum, { cost }) => sum + cost.amount, 0);
    const day = localDate(moment, site.timeZone);
    const after = await addWaste(tx, { siteId, day, cost: added, currency: site.currency });
    const waste = { before: after - added, after, currency: site.currency };
    const cost = { amount: after, currency: site.currency };
    told.push({ notice: wastePassed({ eventId: nextId(), eventAt, traceparent }, { siteId, day, cost }), waste });
  }
  return told;
}

async function writeMessages(tx: Tx, told: readonly Told[], { publishes, nextId, note }: HearingPlace): Promise<void> {
  const audience = await audienceOf(tx, told, publishes);
  const addressed: Addressed[] = told.flatMap(({ notice, waste }) => addressesOf(notice, audience, waste));
  await saveMessages(tx, addressed, nextId);
  if (addressed.length > 0) note();
}

async function audienceOf(tx: Tx, told: readonly Told[], publishes: boolean): Promise<Audience> {
  const customers = new Set<string>();
  let concernsHouse = false;
  for (const { notice } of told) {
    if (notice.concerns === 'house') concernsHouse = true;
    else if (notice.concerns !== 'nobody') customers.add(notice.concerns.customerId);
  }
  const receivers = await readReceivers(tx);
  for (const { ownerId } of receivers) customers.add(ownerId);
  const listeners: Listener[] = customers.size === 0 ? [] : await readListeners(tx, [...customers]);
  if (concernsHouse) listeners.push(...(await readListenersOfTheHouse(tx)));
  return { people: new Map(listeners.map((listener) => [listener.id, listener])), receivers, publishes };
}
