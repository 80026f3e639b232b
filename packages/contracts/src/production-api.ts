import { type Static, Type } from 'typebox';
import { CLOSED, DurationText, InstantText, Page, PageQuery, Quantity, Uuid } from './common.ts';

export const ScheduleDraft = Type.Object(
  { siteId: Uuid, productId: Uuid, every: DurationText, quantity: Quantity },
  CLOSED,
);
export type ScheduleDraft = Static<typeof ScheduleDraft>;

/** Where and what a schedule bakes stays; how often and how much may change. */
export const SchedulePatch = Type.Object(
  { every: Type.Optional(DurationText), quantity: Type.Optional(Quantity) },
  CLOSED,
);
export type SchedulePatch = Static<typeof SchedulePatch>;

export const ScheduleView = Type.Object(
  {
    id: Uuid,
    siteId: Uuid,
    productId: Uuid,
    every: Type.String({ description: 'ISO 8601 duration' }),
    quantity: Type.Integer(),
  },
  CLOSED,
);
export type ScheduleView = Static<typeof ScheduleView>;

export const SchedulePage = Page(ScheduleView);

export const ScheduleQuery = Type.Object({ ...PageQuery.properties, siteId: Type.Optional(Uuid) }, CLOSED);
export type ScheduleQuery = Static<typeof ScheduleQuery>;

export const BatchDraft = Type.Object({ siteId: Uuid, productId: Uuid, quantity: Quantity }, CLOSED);
export type BatchDraft = Static<typeof BatchDraft>;

export const BatchView = Type.Object(
  {
    id: Uuid,
    siteId: Uuid,
    productId: Uuid,
    quantity: Type.Integer(),
    madeAt: InstantText,
    scheduleId: Type.Optional(Type.String({ format: 'uuid', description: 'Absent: baked by hand' })),
  },
  CLOSED,
);
export type BatchView = Static<typeof BatchView>;

export const BatchPage = Page(BatchView);

export const BatchQuery = Type.Object({ ...PageQuery.properties, siteId: Type.Optional(Uuid) }, CLOSED);
export type BatchQuery = Static<typeof BatchQuery>;
