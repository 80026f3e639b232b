import { type Instant, instant, type Milliseconds, plus } from '@provender/kernel';

/** The one source of business time. Tokens, leases, rate limits and retries to the outside use wall time instead. */
export type Clock = {
  now(): Instant;
  /** How many business seconds pass in a wall second. A manual clock says 1. */
  readonly rate: number;
  /** A business duration that lasts at least so long on the wall too, however fast business time runs. */
  atLeastWall(business: Milliseconds, wall: Milliseconds): Milliseconds;
};

/**
 * Where a scaled clock began: at this wall moment it showed this business moment. Stored, so that a restart never goes
 * back.
 */
export type ClockOrigin = { readonly wall: number; readonly business: number; readonly rate: number };

export function scaledClock(origin: ClockOrigin): Clock {
  const { wall, business, rate } = origin;
  let latest = business;
  return {
    rate,
    now() {
      // Where somebody sets the wall clock back, business time stands still until it is there again.
      latest = Math.max(latest, Math.floor(business + (Date.now() - wall) * rate));
      return instant(latest);
    },
    atLeastWall: (duration, wallDuration) => Math.max(duration, wallDuration * rate),
  };
}

export function realClock(): Clock {
  return scaledClock({ wall: 0, business: 0, rate: 1 });
}

/** A clock that a test or a replay moves by hand, forwards only. */
export type ManualClock = Clock & { advanceTo(moment: Instant): void; advance(duration: Milliseconds): void };

export function manualClock(start: Instant): ManualClock {
  let current = start;
  function advanceTo(moment: Instant) {
    if (moment < current) throw new Error('Business time never goes back');
    current = moment;
  }
  return {
    rate: 1,
    now: () => current,
    atLeastWall: (duration) => duration,
    advanceTo,
    advance: (duration) => advanceTo(plus(current, duration)),
  };
}
