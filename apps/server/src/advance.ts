import type { Instant } from '@provender/kernel';
import type { ManualClock, TimerLoop } from '@provender/platform';
import type { System } from './system.ts';

/**
 * Moves a manual clock on, stopping at every timer on the way: each runs at its own time, in order of due time over all contexts,
 * and all that follows from it is done before the next. So a day passes as it would have, only faster.
 */
export async function advanceTo(system: System, clock: ManualClock, moment: Instant): Promise<void> {
  for (;;) {
    const next = await earliestTimer(system);
    if (next === undefined || next.dueAt > moment) break;
    if (next.dueAt > clock.now()) clock.advanceTo(next.dueAt);
    const count = await next.timers.runDue();
    if (count === 0) break;
    await system.idle();
  }
  if (moment > clock.now()) clock.advanceTo(moment);
}

async function earliestTimer(system: System): Promise<{ dueAt: Instant; timers: TimerLoop } | undefined> {
  const dues = await Promise.all(
    [...system.contexts.values()].map(async ({ timers }) => ({ dueAt: await timers.nextDue(), timers })),
  );
  let earliest: { dueAt: Instant; timers: TimerLoop } | undefined;
  for (const { dueAt, timers } of dues) {
    if (dueAt !== undefined && (earliest === undefined || dueAt < earliest.dueAt)) earliest = { dueAt, timers };
  }
  return earliest;
}
