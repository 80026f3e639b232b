import type { ContextModule } from '@provender/platform';
import { inventoryJobs, inventoryReactions } from './reactions.ts';
import { routes } from './routes.ts';
import { startHoldExpiry } from './use-cases/hear-catalog.ts';

export { readStock } from './store/lists.ts';
export { HOLD_EXPIRY } from './use-cases/hear-catalog.ts';
export { receiveGoods } from './use-cases/shelve-goods.ts';

/** Units, one row per physical item: holds, sales, receipts, sweeps and waste. */
export const inventory: ContextModule = {
  context: 'inventory',
  migrations: new URL('../migrations/', import.meta.url),
  open: ({ db, clock, ids }) => ({
    reactions: inventoryReactions(clock, ids),
    jobs: inventoryJobs(clock),
    prepare: (tx) => startHoldExpiry(tx, clock.now()),
    routes: (app) => routes(app, { db, ids }),
  }),
};
