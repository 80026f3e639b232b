import type { OrderPlaced, RecordedEvent, TenderKind, Channel } from '@provender/contracts';
import { type Money, money } from '@provender/kernel';
import type { Query } from '@provender/platform';
import { type Order, unitsOf } from '../domain/order.ts';
import { isHandedOver } from '../domain/payment.ts';
import { readOrders } from '../store.ts';

/** What the flow needs to know of an order: all of it was frozen when it was placed. */
export type PlacedFacts = {
  readonly orderId: string;
  readonly siteId: string;
  readonly customerId: string | null;
  readonly channel: Channel;
  readonly tender: TenderKind;
  readonly total: Money;
  readonly units: number;
  readonly isHandedOver: boolean;
};

export type RecentOrders = {
  /** Facts of orders that are still to be decided; of others, and of unknown ones, nothing. */
  facts(query: Query, orderIds: readonly string[]): Promise<ReadonlyMap<string, PlacedFacts>>;
  /** Told of this context's own events, once they have committed. */
  committed(events: readonly RecordedEvent[]): void;
};

/** Orders on their way through the purchase in this process; beyond this the oldest are read again. */
const REMEMBERED_MAX = 20_000;

/**
 * The orders that this process placed and that are still to be decided. The flow asks for the same few facts of each
 * order twice within milliseconds of its placing; they never change, so memory may answer, with the table as the truth.
 */
export function rememberOrders(): RecentOrders {
  const remembered = new Map<string, PlacedFacts>();

  async function facts(query: Query, orderIds: readonly string[]) {
    const found = new Map<string, PlacedFacts>();
    const missing: string[] = [];
    for (const id of orderIds) {
      const known = remembered.get(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length === 0) return found;
    for (const order of (await readOrders(query, missing)).values()) {
      if (order.status === 'placed') found.set(order.id, factsOf(order));
    }
    return found;
  }

  function committed(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      if (event.type === 'orders.order-placed.v1') {
        // Own events were checked against their schema by the compiler when they were said.
        const data = event.data as OrderPlaced;
        remembered.set(data.orderId, factsOfPlaced(data));
      } else if (event.type === 'orders.order-paid.v1' || event.type === 'orders.order-rejected.v1') {
        remembered.delete(event.subject);
      }
    }
    for (const id of remembered.keys()) {
      if (remembered.size <= REMEMBERED_MAX) break;
      remembered.delete(id);
    }
  }

  return { facts, committed };
}

function factsOfPlaced({ orderId, siteId, customerId, channel, tender, total, lines }: OrderPlaced): PlacedFacts {
  const units = unitsOf(lines);
  return {
    orderId,
    siteId,
    customerId: customerId ?? null,
    channel,
    tender,
    total,
    units,
    isHandedOver: isHandedOver(channel, lines),
  };
}

function factsOf({ id, siteId, customerId, channel, tender, totalAmount, currency, lines }: Order): PlacedFacts {
  return {
    orderId: id,
    siteId,
    customerId,
    channel,
    tender,
    total: money(totalAmount, currency),
    units: unitsOf(lines),
    isHandedOver: isHandedOver(channel, lines),
  };
}
