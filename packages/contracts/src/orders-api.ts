import { type Static, Type } from 'typebox';
import {
  CLOSED,
  InstantText,
  Literals,
  MoneySchema,
  Page,
  PageQuery,
  PriceSchema,
  Quantity,
  Text,
  Uuid,
} from './common.ts';
import { CANCEL_REASONS, CHANNELS, ORDER_STATUSES, OrderLine, REJECT_REASONS, TENDER_KINDS } from './orders.ts';

export const ORDER_LINES_MAX = 100;
export const ORDER_NOTE_LENGTH_MAX = 500;

/** Why an order ended otherwise than by being handed over to who asked for it. */
export const ORDER_REASONS = [...REJECT_REASONS, ...CANCEL_REASONS, 'not-collected'] as const;
export type OrderReason = (typeof ORDER_REASONS)[number];

const LineDraft = Type.Object(
  { productId: Uuid, variationId: Type.Optional(Uuid), quantity: Quantity },
  { ...CLOSED, description: 'The same product may stand in several lines' },
);

/** How a counter sale is paid. `received` goes with cash, `customerId` with an account. */
export const TenderDraft = Type.Object(
  {
    kind: Literals(TENDER_KINDS),
    received: Type.Optional(PriceSchema),
    customerId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type TenderDraft = Static<typeof TenderDraft>;

export const OrderDraft = Type.Object(
  {
    siteId: Uuid,
    lines: Type.Array(LineDraft, { minItems: 1, maxItems: ORDER_LINES_MAX }),
    note: Type.Optional(Text(ORDER_NOTE_LENGTH_MAX)),
    channel: Type.Optional(Literals(CHANNELS)),
    tender: Type.Optional(TenderDraft),
  },
  CLOSED,
);
export type OrderDraft = Static<typeof OrderDraft>;

const HistoryEntryView = Type.Object(
  {
    status: Literals(ORDER_STATUSES),
    at: InstantText,
    by: Type.Optional(Type.String({ description: 'The user who did it; absent where the flow or the closing did' })),
    reason: Type.Optional(Literals(ORDER_REASONS)),
  },
  CLOSED,
);

export const OrderView = Type.Object(
  {
    id: Uuid,
    siteId: Uuid,
    customerId: Type.Optional(Uuid),
    channel: Literals(CHANNELS),
    status: Literals(ORDER_STATUSES),
    reason: Type.Optional(Literals(ORDER_REASONS)),
    lines: Type.Array(OrderLine),
    total: MoneySchema,
    tender: Type.Object({ kind: Literals(TENDER_KINDS), received: Type.Optional(MoneySchema) }, CLOSED),
    change: Type.Optional(MoneySchema),
    note: Type.Optional(Type.String()),
    placedAt: InstantText,
    updatedAt: InstantText,
    history: Type.Array(HistoryEntryView),
  },
  CLOSED,
);
export type OrderView = Static<typeof OrderView>;

export const OrderPage = Page(OrderView);

export const OrderQuery = Type.Object(
  {
    ...PageQuery.properties,
    status: Type.Optional(Literals(ORDER_STATUSES)),
    siteId: Type.Optional(Uuid),
    customerId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type OrderQuery = Static<typeof OrderQuery>;

export const OrderStatusDraft = Type.Object({ status: Literals(ORDER_STATUSES) }, CLOSED);
