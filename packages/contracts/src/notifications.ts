import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, Uuid } from './common.ts';

/** What somebody may be told of, by the name that preferences and webhooks have for it. */
export const NOTICE_KINDS = [
  'order-placed',
  'order-paid',
  'order-refused',
  'order-status-changed',
  'order-cancelled',
  'order-refunded',
  'money-arrived',
  'product-sold-out',
  'waste-limit-passed',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Ways to tell somebody; `redis` has no preferences: what is published there is for other programs. */
export const NOTICE_CHANNELS = ['email', 'webhook', 'redis'] as const;
export type NoticeChannel = (typeof NOTICE_CHANNELS)[number];

/** Channels that a person chooses kinds of notices for. */
export const CHOSEN_CHANNELS = ['email', 'webhook'] as const satisfies readonly NoticeChannel[];
export type ChosenChannel = (typeof CHOSEN_CHANNELS)[number];

/** Somebody was told something: the server on the other side has taken it. */
export const MessageDelivered = Type.Object(
  {
    messageId: Uuid,
    userId: Uuid,
    channel: Literals(NOTICE_CHANNELS),
    kind: Literals(NOTICE_KINDS),
    orderId: Type.Optional(Uuid),
    deliveredAt: InstantText,
  },
  CLOSED,
);
export type MessageDelivered = Static<typeof MessageDelivered>;

/** What somebody wants to hear of has changed; said whole each time, with the kinds wanted by each channel. */
export const PreferencesChanged = Type.Object(
  {
    userId: Uuid,
    email: Type.Array(Literals(NOTICE_KINDS)),
    webhook: Type.Array(Literals(NOTICE_KINDS)),
  },
  CLOSED,
);
export type PreferencesChanged = Static<typeof PreferencesChanged>;

/** Key and subject: the user. */
export const notificationsEvents = {
  'notifications.message-delivered.v1': MessageDelivered,
  'notifications.preferences-changed.v1': PreferencesChanged,
} as const;
