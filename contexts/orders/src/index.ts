import type { ContextModule, ContextPlatform, OpenContext } from '@provender/platform';
import { orderJobs, orderReactions } from './reactions.ts';
import { orderRoutes } from './routes/orders.ts';
import { partnerOrderRoutes } from './routes/partner-orders.ts';
import { awaitOutcomes } from './use-cases/await-outcome.ts';
import { openIntake } from './use-cases/place-orders.ts';
import { rememberOrders } from './use-cases/remember-orders.ts';
import { openPartnerRuns } from './use-cases/take-partner-orders.ts';

export type { Order } from './domain/order.ts';
export { readOrders } from './store.ts';
export { changeStatus } from './use-cases/change-status.ts';
export { askForFeed, importPartnerOrders } from './use-cases/import-partner-orders.ts';
export type { PlaceOrder, PlaceOutcome } from './use-cases/place-orders.ts';

/** The order and its life, across every channel. */
export const orders: ContextModule = {
  context: 'orders',
  migrations: new URL('../migrations/', import.meta.url),
  open,
};

function open(platform: ContextPlatform): OpenContext {
  const { db, clock } = platform;
  const recent = rememberOrders();
  const waiters = awaitOutcomes(db);
  const runs = openPartnerRuns(platform);
  return {
    reactions: orderReactions(clock, recent),
    intake: openIntake(clock),
    jobs: orderJobs(clock),
    routes(app) {
      orderRoutes(app, platform, waiters);
      partnerOrderRoutes(app, platform, runs);
    },
    afterCommit(events) {
      recent.committed(events);
      waiters.committed(events);
    },
    afterOthersCommit: waiters.othersCommitted,
    async close() {
      waiters.close();
      await runs.close();
    },
  };
}
