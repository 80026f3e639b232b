import type { Clock, Database } from '@provender/platform';
import { readRun } from '../store/partner-orders.ts';
import { takeNext } from './process-partner-orders.ts';

export type PartnerRuns = {
  /** Takes what is new for a run, set by set, until there is no more; joins in where this process is at it already. */
  take(runId: string): Promise<void>;
  /** Ends the sets in hand and takes no more. */
  close(): Promise<void>;
};

/**
 * Takes partner orders for runs, each set in a transaction of its own, so that whoever began a run need not wait. What
 * a crash or the end leaves is still new: a repeat of the request with its key goes on with the run, and any other run
 * takes it too.
 */
export function openPartnerRuns({ db, clock }: { readonly db: Database; readonly clock: Clock }): PartnerRuns {
  const underWay = new Map<string, Promise<void>>();
  let isClosing = false;

  async function takeAll(runId: string): Promise<void> {
    if ((await readRun(db, runId))?.isComplete === true) return;
    while (!isClosing && (await db.withTx((tx) => takeNext(tx, runId, clock.now()))));
  }

  return {
    take(runId) {
      const taking = underWay.get(runId) ?? takeAll(runId).finally(() => underWay.delete(runId));
      underWay.set(runId, taking);
      return taking;
    },
    async close() {
      isClosing = true;
      await Promise.allSettled(underWay.values());
    },
  };
}
