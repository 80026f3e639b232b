import {
  CONTEXT_NAMES,
  type ContextName,
  type EventType,
  type ProfileMovementKind,
  type ProfileView,
  type RecordedEvent,
} from '@provender/contracts';

type Money = { readonly amount: number; readonly currency: string };
type Movement = NonNullable<ProfileView['account']>['movements'][number];
type Order = ProfileView['orders']['latest'][number];
type Notification = ProfileView['notifications']['latest'][number];

/** What is known of a user from events. Who they are stands in the user's own row. */
export type Profile = Omit<ProfileView, 'id' | 'email' | 'name' | 'roles'>;

/** Of each kind of thing a profile holds the last ones. */
export const LATEST_MAX = 10;
const LINES_MAX = 10;

export const EMPTY_PROFILE: Profile = {
  orders: { placed: 0, latest: [] },
  notifications: { delivered: 0, latest: [] },
};

type Grow = (profile: Profile, event: RecordedEvent, data: Data) => Profile;

/** The members of the events' data that a profile reads. The type of an event says which of them it has. */
type Data = {
  readonly orderId: string;
  readonly siteId: string;
  readonly channel: string;
  readonly customerId?: string;
  readonly userId?: string;
  readonly accountId?: string;
  readonly placedAt: string;
  readonly lines: readonly { readonly name: string; readonly variationName?: string; readonly quantity: number }[];
  readonly total: Money;
  readonly amount: Money;
  readonly balance: Money;
  readonly handedOver: boolean;
  readonly to: Order['status'];
  readonly reason?: string;
  readonly messageId: string;
  readonly kind: Notification['kind'];
  readonly deliveredAt: string;
  readonly email: readonly Notification['kind'][];
  readonly webhook: readonly Notification['kind'][];
};

/** How a profile grows by each event that it hears of. */
const GROWTH = {
  'identity.user-registered.v1': (profile) => profile,
  'bank.account-opened.v1': (profile, _event, { accountId = '', balance }) => {
    return withBalance({ ...profile, account: { ...accountOf(profile), id: accountId } }, balance, 1);
  },
  'bank.deposit-received.v1': (profile, event, data) => moved(profile, event, data, 'deposit'),
  'bank.payment-captured.v1': (profile, event, data) => moved(profile, event, data, 'payment'),
  'bank.payment-refunded.v1': (profile, event, data) => moved(profile, event, data, 'refund'),
  'orders.order-placed.v1': placed,
  'orders.order-paid.v1': (profile, event, { handedOver }) => {
    return changed(profile, event, { status: handedOver ? 'delivered' : 'waiting' });
  },
  'orders.order-rejected.v1': (profile, event, data) => changed(profile, event, ended('rejected', data)),
  'orders.order-status-changed.v1': (profile, event, { to }) => changed(profile, event, { status: to }),
  'orders.order-delivered.v1': (profile, event, data) => changed(profile, event, ended('delivered', data)),
  'orders.order-cancelled.v1': (profile, event, data) => changed(profile, event, ended('cancelled', data)),
  'notifications.message-delivered.v1': delivered,
  'notifications.preferences-changed.v1': (profile, _event, { email, webhook }) => {
    const preferences = { email: [...email], webhook: [...webhook] };
    return { ...profile, notifications: { ...profile.notifications, preferences } };
  },
} as const satisfies { readonly [Type in EventType]?: Grow };

/** The events that profiles are made of. */
export const PROFILE_EVENTS = Object.keys(GROWTH) as readonly (keyof typeof GROWTH)[];

/** The contexts whose logs these are in. */
export const PROFILE_SOURCES: readonly ContextName[] = CONTEXT_NAMES.filter((name) => {
  return PROFILE_EVENTS.some((type) => type.startsWith(`${name}.`));
});

/** Whose profile an event belongs to; undefined where it is nobody's. A customer's account has the customer's id. */
export function userOf({ data }: RecordedEvent): string | undefined {
  const { userId, customerId, accountId } = data as Data;
  return userId ?? customerId ?? accountId;
}

/**
 * Adds an event to a profile. What contexts say comes in no order between them, so none of this depends on it: sums,
 * and the last ones by their own times. The same events give the same profile, however they come.
 */
export function grown(profile: Profile, event: RecordedEvent): Profile {
  const grow: Grow | undefined = (GROWTH as Readonly<Record<string, Grow>>)[event.type];
  if (grow === undefined) return profile;
  const next = grow(profile, event, event.data as Data);
  return { ...next, asOf: next.asOf !== undefined && next.asOf > event.time ? next.asOf : event.time };
}

function accountOf({ account }: Profile): NonNullable<Profile['account']> {
  return account ?? { id: '', movements: [] };
}

function withBalance(profile: Profile, { amount, currency }: Money, sign: 1 | -1): Profile {
  const account = accountOf(profile);
  const balance = { amount: (account.balance?.amount ?? 0) + sign * amount, currency };
  return { ...profile, account: { ...account, balance } };
}

function moved(profile: Profile, event: RecordedEvent, data: Data, kind: ProfileMovementKind): Profile {
  const { accountId, amount: money, orderId } = data;
  if (accountId === undefined) return profile;
  const sign = kind === 'payment' ? -1 : 1;
  const amount = { amount: sign * money.amount, currency: money.currency };
  const isOfOrder = orderId === undefined ? {} : { orderId };
  const movement: Movement = { id: event.id, kind, amount, ...isOfOrder, at: event.time };
  const known = withBalance(profile, money, sign);
  const account = { ...accountOf(known), id: accountId };
  const movements = latest([movement, ...account.movements], ({ at, id }) => `${at} ${id}`);
  return { ...known, account: { ...account, movements } };
}

function placed(profile: Profile, _event: RecordedEvent, data: Data): Profile {
  const { orderId, siteId, channel, total, placedAt, lines } = data;
  const order: Order = {
    ...{ id: orderId, siteId, channel, status: 'placed', total, placedAt, changedAt: placedAt },
    lines: lines.slice(0, LINES_MAX).map(({ name, variationName, quantity }) => {
      return { name, ...(variationName === undefined ? {} : { variationName }), quantity };
    }),
  };
  const { orders } = profile;
  const all = latest([order, ...orders.latest], (one) => `${one.placedAt} ${one.id}`);
  return { ...profile, orders: { placed: orders.placed + 1, latest: all } };
}

type OrderChange = { readonly status: Order['status']; readonly reason?: string };

function ended(status: Order['status'], { reason }: Data): OrderChange {
  return { status, ...(reason === undefined ? {} : { reason }) };
}

/** An order that is no longer among the last ones has no place to change. */
function changed(profile: Profile, { subject, time }: RecordedEvent, change: OrderChange): Profile {
  const all = profile.orders.latest.map((order) => {
    return order.id === subject ? { ...order, ...change, changedAt: time } : order;
  });
  return { ...profile, orders: { ...profile.orders, latest: all } };
}

function delivered(profile: Profile, _event: RecordedEvent, data: Data): Profile {
  const { messageId, channel, kind, orderId, deliveredAt } = data;
  const isOfOrder = orderId === undefined ? {} : { orderId };
  // The event says which channel it was.
  const notification = { id: messageId, channel, kind, ...isOfOrder, deliveredAt } as Notification;
  const { notifications } = profile;
  const all = latest([notification, ...notifications.latest], (one) => `${one.deliveredAt} ${one.id}`);
  return { ...profile, notifications: { ...notifications, delivered: notifications.delivered + 1, latest: all } };
}

/** The last ones by a text that sorts, newest first. */
function latest<Item>(items: readonly Item[], placeOf: (item: Item) => string): Item[] {
  const sorted = [...items].sort((left, right) => (placeOf(left) < placeOf(right) ? 1 : -1));
  return sorted.slice(0, LATEST_MAX);
}
