import type { EventType, NoticeKind, RecordedEvent } from '@provender/contracts';

/** Something that somebody may want to hear of, of one event. */
export type Notice = {
  readonly eventId: string;
  readonly kind: NoticeKind;
  /** Who said it, and by which name: as the event has it, or our own where we have found it out ourselves. */
  readonly source: string;
  readonly type: string;
  readonly key: string;
  readonly subject: string;
  /** Business time, RFC 3339. */
  readonly eventAt: string;
  /** W3C trace context of what it follows from. */
  readonly traceparent?: string | undefined;
  readonly data: unknown;
  /** Whose business it is: a customer's own, or that of everybody who works here. */
  readonly concerns: { readonly customerId: string } | 'house' | 'nobody';
  readonly orderId?: string;
};

type OrderNotices = { readonly [Type in EventType]?: NoticeKind };

/** Events that are notices as they stand. */
const KINDS = {
  'orders.order-placed.v1': 'order-placed',
  'orders.order-paid.v1': 'order-paid',
  'orders.order-rejected.v1': 'order-refused',
  'orders.order-status-changed.v1': 'order-status-changed',
  'orders.order-delivered.v1': 'order-status-changed',
  'orders.order-cancelled.v1': 'order-cancelled',
  'bank.payment-refunded.v1': 'order-refunded',
  'bank.deposit-received.v1': 'money-arrived',
} as const satisfies OrderNotices;

/** Gives the notice that an event is; undefined for an event that is none. */
export function noticeOf(event: RecordedEvent): Notice | undefined {
  if (!isNoticed(event.type)) return undefined;
  const { id, source, type, key, subject, time, traceparent, data } = event;
  const kind = KINDS[event.type];
  const frame = { eventId: id, kind, source, type, key, subject, eventAt: time, traceparent, data };
  // The type says which data the event has; the log took nothing else.
  const { orderId, customerId } = wherein(type as EventType, data as Members);
  const concerns = customerId === undefined ? ('nobody' as const) : { customerId };
  return { ...frame, concerns, ...(orderId === undefined ? {} : { orderId }) };
}

type Members = { readonly orderId?: string; readonly customerId?: string; readonly accountId?: string };

/** A customer's account has the id of the customer. */
function wherein(type: EventType, { orderId, customerId, accountId }: Members): Members {
  const whose = type.startsWith('bank.') ? accountId : customerId;
  return { ...(orderId === undefined ? {} : { orderId }), ...(whose === undefined ? {} : { customerId: whose }) };
}

function isNoticed(type: string): type is keyof typeof KINDS {
  return Object.hasOwn(KINDS, type);
}

type About = { readonly eventId: string; readonly eventAt: string; readonly traceparent: string | undefined };

/** The last free unit of a product at a site has gone. */
export function soldOut(about: About, siteId: string, productId: string): Notice {
  return { ...houseNotice(about, 'product-sold-out'), subject: productId, key: siteId, data: { siteId, productId } };
}

export type DayOfWaste = {
  readonly siteId: string;
  /** By the site's own time zone. */
  readonly day: string;
  readonly cost: { readonly amount: number; readonly currency: string };
};

/** What was thrown out at a site on a day has come to more than somebody's limit. */
export function wastePassed(about: About, waste: DayOfWaste): Notice {
  return { ...houseNotice(about, 'waste-limit-passed'), subject: waste.siteId, key: waste.siteId, data: waste };
}

/** What we have found out ourselves is an event of ours to the outside. */
function houseNotice({ eventId, eventAt, traceparent }: About, kind: NoticeKind) {
  const type = `notifications.${kind}.v1`;
  return { eventId, kind, source: 'notifications', type, eventAt, traceparent, concerns: 'house' as const };
}
