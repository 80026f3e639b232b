import { type Static, type TSchema, Type } from 'typebox';
import { AMOUNT_MAX, CLOSED, Currency, InstantText, Literals, Page, PageQuery, Text, Uuid } from './common.ts';
import { NOTICE_CHANNELS, NOTICE_KINDS, type NoticeKind } from './notifications.ts';

const URL_LENGTH_MAX = 2_000;
const DESCRIPTION_LENGTH_MAX = 200;

const EmailText = Type.String({ maxLength: 254, format: 'email' });

type ByKind<Schema extends TSchema> = Record<NoticeKind, Schema>;

function byKind<Schema extends TSchema>(schema: () => Schema): ByKind<Schema> {
  return Object.fromEntries(NOTICE_KINDS.map((kind) => [kind, schema()])) as ByKind<Schema>;
}

const ChosenKinds = Type.Object(
  byKind(() => Type.Boolean()),
  CLOSED,
);
const ChosenKindsDraft = Type.Object(
  byKind(() => Type.Optional(Type.Boolean())),
  { ...CLOSED, description: 'Kinds that are left out stay as they are' },
);

const WasteLimit = Type.Object(
  { amount: Type.Integer({ minimum: 1, maximum: AMOUNT_MAX }), currency: Currency },
  CLOSED,
);

/** What its owner wants to hear of, by which channel. */
export const PreferencesView = Type.Object(
  {
    email: ChosenKinds,
    webhook: Type.Object(ChosenKinds.properties, { ...CLOSED, description: 'For the webhooks that one has made' }),
    wasteLimit: Type.Object(WasteLimit.properties, {
      ...CLOSED,
      description: "The cost of a day's waste at a site of that currency beyond which its people hear of it",
    }),
  },
  CLOSED,
);
export type PreferencesView = Static<typeof PreferencesView>;

export const PreferencesDraft = Type.Object(
  {
    email: Type.Optional(ChosenKindsDraft),
    webhook: Type.Optional(ChosenKindsDraft),
    wasteLimit: Type.Optional(WasteLimit),
  },
  CLOSED,
);
export type PreferencesDraft = Static<typeof PreferencesDraft>;

const WebhookUrl = Type.String({
  minLength: 1,
  maxLength: URL_LENGTH_MAX,
  format: 'text-line',
  description: 'https, and not an address of a private network',
});

const Kinds = Type.Array(Literals(NOTICE_KINDS), { minItems: 1, maxItems: NOTICE_KINDS.length, uniqueItems: true });

export const WebhookDraft = Type.Object(
  {
    url: WebhookUrl,
    kinds: Type.Optional({ ...Kinds, description: 'What it is told of; everything where left out' }),
    description: Type.Optional(Text(DESCRIPTION_LENGTH_MAX)),
  },
  CLOSED,
);
export type WebhookDraft = Static<typeof WebhookDraft>;

export const WebhookRevision = Type.Object(
  {
    kinds: Type.Optional(Kinds),
    description: Type.Optional(Text(DESCRIPTION_LENGTH_MAX)),
    enabled: Type.Optional(Type.Boolean({ description: 'true: what has waited since it was disabled goes out now' })),
  },
  CLOSED,
);
export type WebhookRevision = Static<typeof WebhookRevision>;

const webhookMembers = {
  id: Uuid,
  url: Type.String(),
  kinds: Type.Array(Literals(NOTICE_KINDS)),
  description: Type.Optional(Type.String()),
  enabled: Type.Boolean(),
  disabledReason: Type.Optional(Type.String()),
  failingSince: Type.Optional({ ...InstantText, description: 'Wall time of the first failure since it last took one' }),
  createdAt: InstantText,
};

export const WebhookView = Type.Object(webhookMembers, CLOSED);
export type WebhookView = Static<typeof WebhookView>;

export const WebhookCreated = Type.Object(
  {
    ...webhookMembers,
    secret: Type.String({ description: 'To verify signatures with (Standard Webhooks 1.0); shown this once' }),
  },
  CLOSED,
);

export const WebhookPage = Page(WebhookView);

/** One message, or all of a stretch of time. */
export const ReplayDraft = Type.Object(
  {
    messageId: Type.Optional(Type.String({ format: 'uuid', description: 'One message; or else from and to' })),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'Events from this moment on' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'Events until just before this moment' })),
  },
  CLOSED,
);
export type ReplayDraft = Static<typeof ReplayDraft>;

export const ReplayView = Type.Object(
  { replayed: Type.Integer({ description: 'How many messages go out again, with the ids that they had' }) },
  CLOSED,
);

export const MESSAGE_STATUSES = ['waiting', 'delivered', 'failed', 'held'] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

const AttemptView = Type.Object(
  {
    at: { ...InstantText, description: 'Wall time' },
    ok: Type.Boolean(),
    detail: Type.String({ description: 'What the other side said, or why nothing was heard of it' }),
    milliseconds: Type.Integer(),
  },
  CLOSED,
);

/** One event on its way to one address. */
export const MessageView = Type.Object(
  {
    id: Uuid,
    eventId: Uuid,
    kind: Literals(NOTICE_KINDS),
    channel: Literals(NOTICE_CHANNELS),
    address: Type.String({ description: 'E-mail address, id of a webhook, or channel of Redis' }),
    userId: Type.Optional(Uuid),
    orderId: Type.Optional(Uuid),
    status: Literals(MESSAGE_STATUSES),
    eventAt: { ...InstantText, description: 'Business time of the event' },
    nextAttemptAt: Type.Optional({ ...InstantText, description: 'Wall time' }),
    replays: Type.Integer(),
    attempts: Type.Array(AttemptView, { description: 'Newest last' }),
  },
  CLOSED,
);
export type MessageView = Static<typeof MessageView>;

export const MessagePage = Page(MessageView);

export const MessageQuery = Type.Object(
  {
    ...PageQuery.properties,
    channel: Type.Optional(Literals(NOTICE_CHANNELS)),
    status: Type.Optional(Literals(MESSAGE_STATUSES)),
    email: Type.Optional(EmailText),
    webhookId: Type.Optional(Uuid),
    orderId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type MessageQuery = Static<typeof MessageQuery>;

/** A mail as it would have gone out. */
export const MailView = Type.Object(
  {
    id: Uuid,
    to: Type.String(),
    from: Type.String(),
    subject: Type.String(),
    text: Type.String(),
    html: Type.String(),
    sentAt: { ...InstantText, description: 'Business time' },
  },
  CLOSED,
);
export type MailView = Static<typeof MailView>;

export const MailPage = Page(MailView);

export const MailQuery = Type.Object({ ...PageQuery.properties, to: Type.Optional(EmailText) }, CLOSED);
export type MailQuery = Static<typeof MailQuery>;

export const LIVE_TOPICS = ['orders', 'stock', 'machines'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

export const LiveQuery = Type.Object(
  {
    topics: Type.Optional(
      Type.String({
        pattern: `^(${LIVE_TOPICS.join('|')})(,(${LIVE_TOPICS.join('|')}))*$`,
        maxLength: 100,
        description: `A list of ${LIVE_TOPICS.join(', ')}; all of them where left out`,
      }),
    ),
    siteId: Type.Optional(Type.String({ format: 'uuid', description: 'Of this site only' })),
  },
  CLOSED,
);
export type LiveQuery = Static<typeof LiveQuery>;

/** What is said live of an order. */
export type LiveOrder = {
  readonly topic: 'orders';
  /** The event without its context and version: `order-paid`. */
  readonly type: string;
  readonly at: string;
  readonly orderId: string;
  readonly siteId: string;
  readonly customerId?: string;
  readonly status?: string;
  readonly reason?: string;
};

/** What is said live of the shelf of a site: how many are free now. */
export type LiveStock = {
  readonly topic: 'stock';
  readonly type: 'stock-changed';
  readonly at: string;
  readonly siteId: string;
  readonly productId: string;
  readonly available: number;
};

export type LiveMessage = LiveOrder | LiveStock;
