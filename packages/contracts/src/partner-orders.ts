import { type Static, Type } from 'typebox';
import { CLOSED, Uuid } from './common.ts';

export const PARTNER_ORDER_STATUSES = ['NEW', 'PROCESSED', 'FAILED'] as const;
export type PartnerOrderStatus = (typeof PARTNER_ORDER_STATUSES)[number];

/** Every partner order wants of the same warehouses: so one consumer decides about all, in their order. */
export const PARTNER_ORDERS_KEY = 'partner-orders';

/** What a partner's order needs of the warehouses: every item once, in whole pieces. */
export const PartnerStockRequested = Type.Object(
  {
    partnerOrderId: Uuid,
    number: Type.String({ description: "The partner's own number" }),
    attempt: Type.Integer({ minimum: 1, description: 'Counts on with every processing after a reset' }),
    items: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer({ minimum: 1 }) }, CLOSED)),
  },
  CLOSED,
);
export type PartnerStockRequested = Static<typeof PartnerStockRequested>;

/** It is as if it had never been processed: what this attempt was given goes back. */
export const PartnerOrderReset = Type.Object({ partnerOrderId: Uuid, attempt: Type.Integer({ minimum: 1 }) }, CLOSED);
export type PartnerOrderReset = Static<typeof PartnerOrderReset>;

/** Key: `PARTNER_ORDERS_KEY`. Subject: the partner's order. */
export const partnerOrderEvents = {
  'orders.partner-stock-requested.v1': PartnerStockRequested,
  'orders.partner-order-reset.v1': PartnerOrderReset,
} as const;
