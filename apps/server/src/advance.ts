import type { Instant } from '@provender/kernel';
import type { ManualClock, TimerLoop } from '@provender/platform';
import type { System } from './system.ts';

export type AdvanceOptions = {
  /**
   * Jobs that do not stop the clock: they run late, at the next stop. For those that only poll, every few seconds, for
   * what whoever moves the clock knows not to be there.
   */
  readonly lateJobs?: readonly string[];
  /** Waits until all that follows from a timer is done. By default it asks the database. */
  readonly settle?: () => Promise<void>;
};

export type Advance = {
  /** Moves the clock on to that moment, stopping at every timer on the way. */
  to(moment: Instant): Promise<void>;
  /** The next stop is looked for anew: somebody has set a timer otherwise than in a timer's own job. */
  forget(): void;
};

/**
 * Moves a manual clock on, stopping at every timer on the way: each runs at its own time, in order of due time over all
 * contexts, and all that follows from it is done before the next. So a day passes as it would have, only faster.
 */
export async function advanceTo(system: System, clock: ManualClock, moment: Instant): Promise<void> {
  await openAdvance(system, clock).to(moment);
}

/** The same for whoever moves the clock many times: the next stop is remembered, so that most moves ask nobody. */
export function openAdvance(system: System, clock: ManualClock, options: AdvanceOptions = {}): Advance {
  const settle = options.settle ?? system.idle;
  let next: { readonly stop: Stop | undefined } | undefined;
  return {
    async to(moment) {
      for (;;) {
        next ??= { stop: await earliestStop(system, options.lateJobs ?? []) };
        const { stop } = next;
        if (stop === undefined || stop.dueAt > moment) break;
        if (stop.dueAt > clock.now()) clock.advanceTo(stop.dueAt);
        next = undefined;
        const count = await stop.timers.runDue();
        if (count === 0) break;
        await settle();
      }
      if (moment > clock.now()) clock.advanceTo(moment);
    },
    forget() {
      next = undefined;
    },
  };
}

type Stop = { readonly dueAt: Instant; readonly timers: TimerLoop };

async function earliestStop(system: System, lateJobs: readonly string[]): Promise<Stop | undefined> {
  const dues = await Promise.all(
    [...system.contexts.values()].map(async ({ timers }) => ({ dueAt: await timers.nextDue(lateJobs), timers })),
  );
  let earliest: Stop | undefined;
  for (const { dueAt, timers } of dues) {
    if (dueAt !== undefined && (earliest === undefined || dueAt < earliest.dueAt)) earliest = { dueAt, timers };
  }
  return earliest;
}
