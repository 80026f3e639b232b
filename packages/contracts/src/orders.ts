import { type Static, Type } from 'typebox';
import { STOCK_KINDS } from './catalog.ts';
import { CLOSED, InstantText, Literals, MoneySchema, Uuid } from './common.ts';

export const ORDER_STATUSES = [
  'placed',
  'waiting',
  'preparation',
  'ready',
  'delivered',
  'cancelled',
  'rejected',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const CHANNELS = ['shop', 'counter'] as const;
export type Channel = (typeof CHANNELS)[number];

export const TENDER_KINDS = ['cash', 'card', 'account'] as const;
export type TenderKind = (typeof TENDER_KINDS)[number];

/** Who may do what in which status (design §5): the API, the pages and the tests read this one table. */
export const orderRules = {
  placed: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
  waiting: { staffMaySet: ['preparation', 'ready'], customerMayCancel: true, staffMayCancel: true },
  preparation: { staffMaySet: ['waiting', 'ready'], customerMayCancel: true, staffMayCancel: true },
  ready: { staffMaySet: ['preparation', 'delivered'], customerMayCancel: false, staffMayCancel: true },
  delivered: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
  cancelled: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
  rejected: { staffMaySet: [], customerMayCancel: false, staffMayCancel: false },
} as const satisfies Record<
  OrderStatus,
  { staffMaySet: readonly OrderStatus[]; customerMayCancel: boolean; staffMayCancel: boolean }
>;

/** One line as it was placed: names and prices stay for ever. */
export const OrderLine = Type.Object(
  {
    productId: Uuid,
    variationId: Type.Optional(Uuid),
    name: Type.String(),
    variationName: Type.Optional(Type.String()),
    stock: Literals(STOCK_KINDS),
    quantity: Type.Integer({ minimum: 1 }),
    listPrice: MoneySchema,
    discountPercent: Type.Integer({ minimum: 0, maximum: 100 }),
    unitPrice: MoneySchema,
    total: MoneySchema,
  },
  CLOSED,
);
export type OrderLine = Static<typeof OrderLine>;

export const OrderPlaced = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    channel: Literals(CHANNELS),
    customerId: Type.Optional(Uuid),
    placedAt: InstantText,
    tender: Literals(TENDER_KINDS),
    lines: Type.Array(OrderLine),
    total: MoneySchema,
  },
  CLOSED,
);
export type OrderPlaced = Static<typeof OrderPlaced>;

export const PaymentRequested = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    amount: MoneySchema,
    tender: Literals(TENDER_KINDS),
    customerId: Type.Optional(Uuid),
    notAfter: InstantText,
  },
  CLOSED,
);
export type PaymentRequested = Static<typeof PaymentRequested>;

/** Paid for. `handedOver`: the goods changed hands at once (a counter sale with nothing to make). */
export const OrderPaid = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    channel: Literals(CHANNELS),
    customerId: Type.Optional(Uuid),
    total: MoneySchema,
    handedOver: Type.Boolean(),
    units: Type.Integer({ minimum: 0, description: 'How many units the hold must still have' }),
    paidAt: Type.Optional({ ...InstantText, description: 'The moment that stands in the history of the order' }),
  },
  CLOSED,
);
export type OrderPaid = Static<typeof OrderPaid>;

export const REJECT_REASONS = ['insufficient-stock', 'payment-declined', 'hold-lost'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export const OrderRejected = Type.Object(
  { orderId: Uuid, siteId: Uuid, customerId: Type.Optional(Uuid), reason: Literals(REJECT_REASONS) },
  CLOSED,
);
export type OrderRejected = Static<typeof OrderRejected>;

export const OrderStatusChanged = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    customerId: Type.Optional(Uuid),
    from: Literals(ORDER_STATUSES),
    to: Literals(ORDER_STATUSES),
  },
  CLOSED,
);
export type OrderStatusChanged = Static<typeof OrderStatusChanged>;

export const OrderDelivered = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    customerId: Type.Optional(Uuid),
    reason: Type.Optional(Literals(['not-collected'])),
  },
  CLOSED,
);
export type OrderDelivered = Static<typeof OrderDelivered>;

export const CANCEL_REASONS = ['cancelled-by-customer', 'cancelled-by-staff', 'site-closed'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

export const OrderCancelled = Type.Object(
  { orderId: Uuid, siteId: Uuid, customerId: Type.Optional(Uuid), reason: Literals(CANCEL_REASONS) },
  CLOSED,
);
export type OrderCancelled = Static<typeof OrderCancelled>;

/** The money of a captured order is to go back to where it came from. */
export const RefundRequested = Type.Object(
  { orderId: Uuid, siteId: Uuid, amount: MoneySchema, reason: Type.String() },
  CLOSED,
);
export type RefundRequested = Static<typeof RefundRequested>;

/** Key: the site. Subject: the order. */
export const ordersEvents = {
  'orders.order-placed.v1': OrderPlaced,
  'orders.payment-requested.v1': PaymentRequested,
  'orders.order-paid.v1': OrderPaid,
  'orders.order-rejected.v1': OrderRejected,
  'orders.order-status-changed.v1': OrderStatusChanged,
  'orders.order-delivered.v1': OrderDelivered,
  'orders.order-cancelled.v1': OrderCancelled,
  'orders.refund-requested.v1': RefundRequested,
} as const;
