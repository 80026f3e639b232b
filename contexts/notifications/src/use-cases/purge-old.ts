import { DAY, type Instant, type Milliseconds, plus } from '@provender/kernel';
import { ensureTimer, type Jobs, type Query } from '@provender/platform';
import { purgeCopies } from '../store/copies.ts';
import { purgeMailbox } from '../store/mailbox.ts';

const PURGE_TIMER = 'purge-old';
const MAILS_KEPT_MAX = 5_000;
/** Nothing happens to an order any more after so long. */
const COPIES_KEPT: Milliseconds = 60 * DAY;

/** Sets the daily purge, at each start, unless it is set. */
export async function ensurePurge(query: Query, now: Instant): Promise<void> {
  await ensureTimer(query, { name: PURGE_TIMER, key: 'all', dueAt: plus(now, DAY) });
}

/** Forgets what nobody will ask for again: old mail in the mailbox, and orders long over. */
export const purgeJobs = {
  [PURGE_TIMER]: async (timer, tx) => {
    await purgeMailbox(tx, MAILS_KEPT_MAX);
    await purgeCopies(tx, plus(timer.dueAt, -COPIES_KEPT));
    return plus(timer.dueAt, DAY);
  },
} satisfies Jobs;
