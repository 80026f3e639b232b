import { type Instant, instant } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { type Batch, batchBaked, batchOfSlot } from '../domain/batch.ts';
import { dueSlots, nextSlotOf, type Plan } from '../domain/schedule.ts';
import { insertBatches, lockPlans, settleSchedules } from '../store.ts';

/** The name of the timer that each schedule has, under the schedule's id. */
export const BAKE = 'bake';

/**
 * Bakes what is due of these locked plans, each slot once, and settles them up to now. Every change of a plan begins
 * with this, so that what was due under the old plan is baked by the old plan.
 */
export async function bakeDue(tx: Tx, ids: Ids, plans: readonly Plan[], now: Instant): Promise<void> {
  if (plans.length === 0) return;
  const due = plans.flatMap((plan) =>
    dueSlots(plan, now).map((slot) => ({ plan, batch: batchOfSlot(ids.next(), plan, slot) })),
  );
  due.sort((left, right) => left.batch.madeAt - right.batch.madeAt);
  if (due.length > 0) {
    const baked = new Set<Batch>(
      await insertBatches(
        tx,
        due.map(({ batch }) => batch),
      ),
    );
    tx.append(due.filter(({ batch }) => baked.has(batch)).map(({ batch, plan }) => batchBaked(batch, plan.product)));
  }
  const scheduleIds = plans.map(({ schedule }) => schedule.id);
  await settleSchedules(tx, scheduleIds, instant(now + 1));
}

/** Runs one schedule: bakes what is due and gives the next slot; null where the schedule has ended. */
export async function runSchedule(tx: Tx, ids: Ids, scheduleId: string, now: Instant): Promise<Instant | null> {
  const plans = await lockPlans(tx, [scheduleId]);
  const [plan] = plans;
  if (plan === undefined) return null;
  await bakeDue(tx, ids, plans, now);
  return nextSlotOf(plan, now);
}
