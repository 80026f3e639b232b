import { accept, HOUR, type Milliseconds, MINUTE, type Result, refuse, SECOND } from '@provender/kernel';

/**
 * What failed sign-ins are counted by. `pair` is one account from one address and bites first; `account` slows a guess
 * from many addresses, gently, since anybody could lock a stranger out with it; `address` slows one password tried on
 * many accounts.
 */
export type BackOffScope = 'pair' | 'account' | 'address';

export type FailureCount = {
  readonly scope: BackOffScope;
  readonly failures: number;
  readonly sinceLastFailure: Milliseconds;
};

type Pace = { readonly free: number; readonly waitMax: Milliseconds };

/** So many failures cost nothing; each one after that doubles the wait, from one second up to the longest. */
const PACES = {
  pair: { free: 10, waitMax: 15 * MINUTE },
  account: { free: 100, waitMax: MINUTE },
  address: { free: 200, waitMax: 5 * MINUTE },
} as const satisfies Record<BackOffScope, Pace>;

/** A count that saw no failure for so long starts anew. The store forgets by the same figure. */
export const FORGET_FAILURES_AFTER: Milliseconds = HOUR;

/** Counting further would change nothing: every wait is at its longest long before. */
export const FAILURES_COUNTED_MAX = 1_000;

export type BackOffRefusal = { readonly kind: 'too-many-attempts'; readonly retryAfter: Milliseconds };

function waitAfter({ free, waitMax }: Pace, failures: number): Milliseconds {
  if (failures < free) return 0;
  return Math.min(waitMax, SECOND * 2 ** Math.min(failures - free, 30));
}

/** Takes the failures counted so far. Refuses an attempt before its wait is over, and says how long that is. */
export function attemptSignIn(counts: readonly FailureCount[]): Result<undefined, BackOffRefusal> {
  let retryAfter = 0;
  for (const { scope, failures, sinceLastFailure } of counts) {
    if (sinceLastFailure >= FORGET_FAILURES_AFTER) continue;
    retryAfter = Math.max(retryAfter, waitAfter(PACES[scope], failures) - sinceLastFailure);
  }
  return retryAfter > 0 ? refuse({ kind: 'too-many-attempts', retryAfter }) : accept(undefined);
}
