import type { ContextModule, ContextPlatform, OpenContext } from '@provender/platform';
import { inventoryJobs, inventoryReactions } from './reactions.ts';
import { routes } from './routes.ts';
import { warehouseRoutes } from './routes/warehouses.ts';
import { startHoldExpiry } from './use-cases/hear-catalog.ts';
import { openWarehouseSource, startWarehouseSync } from './use-cases/mirror-warehouses.ts';

export { readStock } from './store/lists.ts';
export { HOLD_EXPIRY } from './use-cases/hear-catalog.ts';
export { receiveGoods } from './use-cases/shelve-goods.ts';

/** Units, one row per physical item: holds, sales, receipts, sweeps and waste. */
export const inventory: ContextModule = {
  context: 'inventory',
  migrations: new URL('../migrations/', import.meta.url),
  open,
};

function open({ db, clock, ids, settings, log }: ContextPlatform): OpenContext {
  const { warehouseUrl } = settings;
  const warehouses = warehouseUrl === undefined ? undefined : openWarehouseSource(warehouseUrl, db, clock, log);
  return {
    reactions: inventoryReactions(clock, ids),
    jobs: inventoryJobs(clock, warehouses),
    async prepare(tx) {
      await startHoldExpiry(tx, clock.now());
      await startWarehouseSync(tx, warehouseUrl, clock.now());
    },
    routes(app) {
      routes(app, { db, ids });
      warehouseRoutes(app, { db, clock, ids, warehouses });
    },
    close: async () => warehouses?.close(),
  };
}
