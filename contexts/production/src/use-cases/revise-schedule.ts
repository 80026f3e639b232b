import type { SchedulePatch } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import { type Ids, scheduleTimer, type Tx } from '@provender/platform';
import { type Invalid, revisedSchedule, type Schedule } from '../domain/schedule.ts';
import { endScheduleRow, lockPlans, readSchedule, updateSchedule } from '../store.ts';
import { BAKE, bakeDue } from './bake-due.ts';

export type UnknownSchedule = { readonly kind: 'unknown-schedule' };

/**
 * Changes how often, or how much, a schedule bakes from now on. Refuses one that is unknown or ended, and an `every`
 * out of bounds.
 */
export async function reviseSchedule(
  tx: Tx,
  ids: Ids,
  { id, patch, now }: { readonly id: string; readonly patch: SchedulePatch; readonly now: Instant },
): Promise<Result<Schedule, Invalid | UnknownSchedule>> {
  const before = await readSchedule(tx, id);
  if (before === undefined) return refuse({ kind: 'unknown-schedule' });
  const checked = revisedSchedule(before, patch);
  if (!checked.ok) return checked;
  // The timer first, as the job takes it first: they wait for each other in one order. Due now, it finds the next slot.
  await scheduleTimer(tx, { name: BAKE, key: id, dueAt: now });
  const plans = await lockPlans(tx, [id]);
  const [plan] = plans;
  if (plan === undefined) return refuse({ kind: 'unknown-schedule' });
  const revised = revisedSchedule(plan.schedule, patch);
  if (!revised.ok) return revised;
  await bakeDue(tx, ids, plans, now);
  await updateSchedule(tx, revised.value);
  return accept(revised.value);
}

/** Ends a schedule; its timer finds that out. Refuses one that is unknown or has ended already. */
export async function endSchedule(tx: Tx, id: string, now: Instant): Promise<Result<null, UnknownSchedule>> {
  return (await endScheduleRow(tx, id, now)) ? accept(null) : refuse({ kind: 'unknown-schedule' });
}
