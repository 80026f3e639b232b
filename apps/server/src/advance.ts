import type { Instant } from '@provender/kernel';
import type { ManualClock, TimerLoop } from '@provender/platform';
import type { System } from './system.ts';

/** Contexts whose time is moved together; they may be those of several processes. */
export type Advanced = Pick<System, 'contexts' | 'idle'>;

export type AdvanceOptions = {
  /**
   * Jobs that do not stop the clock; `runLate` runs them. For those that only poll, every few seconds, for what whoever
   * moves the clock knows not to be there.
   */
  readonly lateJobs?: readonly string[];
  /** What would come too late after a timer. It waits itself for what follows from it, and sets no timer. */
  readonly beforeStop?: () => Promise<void>;
  /** Waits until all that follows from a timer is done. By default it asks the database. */
  readonly settle?: () => Promise<void>;
};

export type Advance = {
  /** Moves the clock on to that moment, stopping at every timer on the way. */
  to(moment: Instant): Promise<void>;
  /** Runs what is due of the jobs that do not stop the clock. */
  runLate(): Promise<void>;
  /** The next stops are looked for anew: somebody has set a timer otherwise than in a timer's own job. */
  forget(): void;
};

/**
 * Moves a manual clock on, stopping at every timer on the way: each runs at its own time, in order of due time over all
 * contexts, and all that follows from it is done before the next. So a day passes as it would have, only faster.
 */
export async function advanceTo(system: Advanced, clock: ManualClock, moment: Instant): Promise<void> {
  await openAdvance(system, clock).to(moment);
}

/**
 * The same for whoever moves the clock many times. When each context's next timer falls due is remembered until the
 * context has run one, or anything has been said anywhere: so most moves ask nobody, and a sweep that finds nothing
 * asks once.
 */
export function openAdvance(system: Advanced, clock: ManualClock, options: AdvanceOptions = {}): Advance {
  const { lateJobs = [], settle = system.idle, beforeStop = async () => {} } = options;
  const dues = new Map<TimerLoop, Instant | undefined>();
  const loops = [...system.contexts.values()].map(({ timers }) => timers);

  /** The loop whose next timer falls due first; where two are due at once, in the order of the contexts. */
  async function nextStop(): Promise<{ readonly dueAt: Instant; readonly timers: TimerLoop } | undefined> {
    const unknown = loops.filter((timers) => !dues.has(timers));
    await Promise.all(unknown.map(async (timers) => dues.set(timers, await timers.nextDue(lateJobs))));
    let next: { readonly dueAt: Instant; readonly timers: TimerLoop } | undefined;
    for (const timers of loops) {
      const dueAt = dues.get(timers);
      if (dueAt !== undefined && (next === undefined || dueAt < next.dueAt)) next = { dueAt, timers };
    }
    return next;
  }

  return {
    async to(moment) {
      let last: TimerLoop | undefined;
      let settledAt = saidSoFar(system);
      for (;;) {
        const stop = await nextStop();
        // What one context does at one moment follows from that moment: it need not wait for what comes of it.
        const isSameStop = stop !== undefined && stop.timers === last && stop.dueAt <= clock.now();
        if (!isSameStop && saidSoFar(system) !== settledAt) {
          await settle();
          settledAt = saidSoFar(system);
          dues.clear();
          continue;
        }
        if (stop === undefined || stop.dueAt > moment) break;
        if (stop.dueAt > clock.now()) {
          await beforeStop();
          settledAt = saidSoFar(system);
          clock.advanceTo(stop.dueAt);
        }
        last = stop.timers;
        dues.delete(last);
        if (!(await last.runNext(lateJobs))) break;
      }
      if (moment > clock.now()) clock.advanceTo(moment);
    },
    async runLate() {
      for (const timers of loops) await timers.runDue();
      await settle();
      dues.clear();
    },
    forget: () => dues.clear(),
  };
}

/** Changes whenever a context has said something. */
function saidSoFar({ contexts }: Advanced): number {
  let positions = 0;
  for (const each of contexts.values()) positions += each.lastPosition();
  return positions;
}
