import type { EventType, LiveMessage, LiveOrder, LiveTopic, RecordedEvent } from '@provender/contracts';

/** What one listener may hear and wants to hear. Listeners who want the same are a group, and are told at once. */
export type Hearing = {
  /** Own orders only; undefined: of every site, for those who work here. */
  readonly customerId: string | undefined;
  readonly topics: readonly LiveTopic[];
  readonly siteId: string | undefined;
};

export function hearingKey({ customerId, topics, siteId }: Hearing): string {
  return [customerId ?? '*', [...topics].sort().join(','), siteId ?? '*'].join(' ');
}

/** Whether a listener gets a message: customers hear of their own orders, and of nothing else. */
export function hears({ customerId, topics, siteId }: Hearing, message: LiveMessage): boolean {
  if (!topics.includes(message.topic)) return false;
  if (siteId !== undefined && message.siteId !== siteId) return false;
  if (customerId === undefined) return true;
  return message.topic === 'orders' && message.customerId === customerId;
}

type OrderData = {
  readonly orderId: string;
  readonly siteId: string;
  readonly customerId?: string;
  readonly handedOver?: boolean;
  readonly to?: string;
  readonly reason?: string;
};

const STATUSES: { readonly [Type in EventType]?: (data: OrderData) => string } = {
  'orders.order-placed.v1': () => 'placed',
  'orders.order-paid.v1': ({ handedOver }) => (handedOver === true ? 'delivered' : 'waiting'),
  'orders.order-rejected.v1': () => 'rejected',
  'orders.order-status-changed.v1': ({ to }) => to ?? '',
  'orders.order-delivered.v1': () => 'delivered',
  'orders.order-cancelled.v1': () => 'cancelled',
};

/** What is said live of an order's event; undefined for one of which nothing is. */
export function liveOrder({ type, time, data }: RecordedEvent): LiveOrder | undefined {
  const statusOf = STATUSES[type as EventType];
  if (statusOf === undefined) return undefined;
  // The type says which data the event has; the log took nothing else.
  const order = data as OrderData;
  const { orderId, siteId, customerId, reason } = order;
  return {
    topic: 'orders',
    type: type.slice('orders.'.length, -'.v1'.length),
    at: time,
    orderId,
    siteId,
    ...(customerId === undefined ? {} : { customerId }),
    status: statusOf(order),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Where a listener stands: it has heard all sets before that number, and of that one up to a place (or all of it). */
export type LivePlace = { readonly number: number; readonly index: number };

const PLACE_PATTERN = /^(\d{1,15})(?:\.(\d{1,6}))?$/;

/** Reads the id of a message, or of a whole set. Gives undefined where the text is none. */
export function parsePlace(text: string): LivePlace | undefined {
  const match = PLACE_PATTERN.exec(text);
  if (match === null) return undefined;
  return { number: Number(match[1]), index: match[2] === undefined ? Number.POSITIVE_INFINITY : Number(match[2]) };
}

export function isAfter(place: LivePlace, number: number, index: number): boolean {
  return number > place.number || (number === place.number && index > place.index);
}
