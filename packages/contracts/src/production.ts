import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, MoneySchema, Quantity, Uuid } from './common.ts';

/** Came out of the oven: as many units, all of one age. */
export const BatchBaked = Type.Object(
  {
    batchId: Uuid,
    siteId: Uuid,
    productId: Uuid,
    quantity: Quantity,
    madeAt: InstantText,
    /** As the product was when it was baked: who makes units of it may not have heard of the product yet. */
    shelfLifeMinutes: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
    unitCost: MoneySchema,
    scheduleId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type BatchBaked = Static<typeof BatchBaked>;

/** Key: the site. Subject: the batch. */
export const productionEvents = { 'production.batch-baked.v1': BatchBaked } as const;
