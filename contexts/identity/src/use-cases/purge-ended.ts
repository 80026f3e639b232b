import { DAY, type Instant, plus } from '@provender/kernel';
import { ensureTimer, type Jobs, type Query } from '@provender/platform';
import { purgeEnded } from '../store.ts';

const PURGE_TIMER = 'purge-ended';

/** Rows of each table deleted in one run; a day with more is caught up by the following runs. */
const PURGED_MAX = 50_000;

/** Sets the daily purge, at each start, unless it is set. */
export async function ensurePurge(query: Query, now: Instant): Promise<void> {
  await ensureTimer(query, { name: PURGE_TIMER, key: 'all', dueAt: plus(now, DAY) });
}

/**
 * Deletes tokens, grants and failure counts that have ended. They end by the wall clock, the timer rings by business
 * time: what is not over yet stays for a later ring, so it may ring as often as it likes.
 */
export const purgeJobs = {
  [PURGE_TIMER]: async (timer, tx) => {
    await purgeEnded(tx, PURGED_MAX);
    return plus(timer.dueAt, DAY);
  },
} satisfies Jobs;
