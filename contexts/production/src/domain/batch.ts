import type { BatchDraft, BatchView, Said } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { KnownProduct } from './known.ts';
import type { Plan } from './schedule.ts';

/** So many units of one product, of one age. */
export type Batch = {
  readonly id: string;
  readonly siteId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly madeAt: Instant;
  /** null: baked by hand. */
  readonly scheduleId: string | null;
};

/** The batch of one slot of a schedule, made at the slot however late it is written down. */
export function batchOfSlot(id: string, { schedule }: Plan, slot: Instant): Batch {
  const { siteId, productId, quantity, id: scheduleId } = schedule;
  return { id, siteId, productId, quantity, madeAt: slot, scheduleId };
}

/** A batch baked by hand, now. */
export function batchByHand(id: string, { siteId, productId, quantity }: BatchDraft, now: Instant): Batch {
  return { id, siteId, productId, quantity, madeAt: now, scheduleId: null };
}

export function batchBaked(batch: Batch, { shelfLifeMinutes, unitCost }: KnownProduct): Said {
  const { id: batchId, siteId, productId, quantity, madeAt, scheduleId } = batch;
  return {
    type: 'production.batch-baked.v1',
    key: siteId,
    subject: batchId,
    data: {
      ...{ batchId, siteId, productId, quantity, shelfLifeMinutes, unitCost },
      madeAt: formatInstant(madeAt),
      ...(scheduleId === null ? {} : { scheduleId }),
    },
  };
}

export function batchView({ id, siteId, productId, quantity, madeAt, scheduleId }: Batch): BatchView {
  const view = { id, siteId, productId, quantity, madeAt: formatInstant(madeAt) };
  return scheduleId === null ? view : { ...view, scheduleId };
}
