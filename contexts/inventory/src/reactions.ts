import { type Clock, type Ids, type Jobs, reactInOrderOfKey, type Reactions } from '@provender/platform';
import { allocateForPartners, releaseForPartners } from './use-cases/allocate-stock.ts';
import { expireHolds, giveBack } from './use-cases/end-holds.ts';
import {
  CLOSING,
  HOLD_EXPIRY,
  hearProducts,
  hearSites,
  hearWithdrawals,
  STALE_SWEEP,
} from './use-cases/hear-catalog.ts';
import { holdForOrders } from './use-cases/hold-units.ts';
import { nextSync, WAREHOUSE_SYNC, type WarehouseSource } from './use-cases/mirror-warehouses.ts';
import { sellDelivered, settlePaidOrders } from './use-cases/settle-holds.ts';
import { shelveBatches } from './use-cases/shelve-goods.ts';
import { closeByTimer, sweepByTimer } from './use-cases/throw-out.ts';

/**
 * Sets of orders after which sales begin past what was sold: so a walk passes over some thousand sold units at most.
 */
const SETS_BETWEEN_RAISES = 32;

/** What inventory does when something happened elsewhere. */
export function inventoryReactions(clock: Clock, ids: Ids): Reactions {
  let sets = 0;

  const reactions: Reactions = {
    'catalog.site-defined.v1': async (events, tx) => {
      const sites = events.map(({ data }) => data);
      await hearSites(tx, sites, clock.now());
    },
    'catalog.product-defined.v1': async (events, tx) => {
      const products = events.map(({ data }) => data);
      await hearProducts(tx, products);
    },
    'catalog.product-withdrawn.v1': async (events, tx) => {
      const productIds = events.map(({ data }) => data.productId);
      await hearWithdrawals(tx, productIds);
    },
    'production.batch-baked.v1': async (events, tx) => {
      const batches = events.map(({ data }) => data);
      await shelveBatches(tx, ids, batches, clock.now());
    },
    'orders.order-placed.v1': async (events, tx) => {
      const orders = events.map(({ data }) => data);
      sets += 1;
      await holdForOrders(tx, orders, clock, sets % SETS_BETWEEN_RAISES === 0);
    },
    'orders.order-paid.v1': async (events, tx) => {
      const orders = events.map(({ data }) => data);
      await settlePaidOrders(tx, orders, clock.now());
    },
    'orders.order-rejected.v1': async (events, tx) => {
      const orderIds = events.map(({ data }) => data.orderId);
      await giveBack(tx, orderIds, 'rejected', clock.now());
    },
    'orders.order-cancelled.v1': async (events, tx) => {
      const orderIds = events.map(({ data }) => data.orderId);
      await giveBack(tx, orderIds, 'cancelled', clock.now());
    },
    'orders.order-delivered.v1': async (events, tx) => {
      const orders = events.map(({ data }) => data);
      await sellDelivered(tx, orders, clock.now());
    },
    'orders.partner-order-reset.v1': async (events, tx) => {
      const resets = events.map(({ data }) => data);
      await releaseForPartners(tx, resets, clock.now());
    },
    'orders.partner-stock-requested.v1': async (events, tx) => {
      const requests = events.map(({ data }) => data);
      await allocateForPartners(tx, requests, clock.now());
    },
  };
  // Whoever asks after a reset finds what that gave back, whichever order had it.
  return reactInOrderOfKey(reactions, ['orders.partner-order-reset.v1', 'orders.partner-stock-requested.v1']);
}

/** What inventory does when its time has come. All of it may run late, and twice. */
export function inventoryJobs(clock: Clock, warehouses: WarehouseSource | undefined): Jobs {
  return {
    ...(warehouses === undefined ? {} : warehouseJobs(clock, warehouses)),
    [HOLD_EXPIRY]: (_timer, tx) => expireHolds(tx, clock.now()),
    [STALE_SWEEP]: (timer, tx) => sweepByTimer(tx, timer.key, clock.now()),
    [CLOSING]: (timer, tx) => closeByTimer(tx, timer.key, clock.now()),
  };
}

/** The source is asked beside the timer's transaction, which is not to wait for anybody outside. */
function warehouseJobs(clock: Clock, warehouses: WarehouseSource): Jobs {
  return {
    async [WAREHOUSE_SYNC]() {
      warehouses.wake();
      return nextSync(clock);
    },
  };
}
