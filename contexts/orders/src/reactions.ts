import type { Clock, Jobs, Reactions } from '@provender/platform';
import { closeSite } from './use-cases/close-site.ts';
import { CLOSING_JOB, dropProducts, keepProducts, keepSites } from './use-cases/keep-price-list.ts';
import { hearAllocated, hearRefused } from './use-cases/process-partner-orders.ts';
import type { RecentOrders } from './use-cases/remember-orders.ts';
import {
  payOrders,
  rejectLostHolds,
  rejectUnheld,
  rejectUnpaid,
  requestPayments,
} from './use-cases/settle-purchases.ts';

/** What orders does when something happened elsewhere. */
export function orderReactions(clock: Clock, recent: RecentOrders): Reactions {
  return {
    'catalog.site-defined.v1': (events, tx) => keepSites(events, tx, clock.now()),
    'catalog.product-defined.v1': keepProducts,
    'catalog.product-withdrawn.v1': dropProducts,
    'inventory.units-held.v1': (events, tx) => requestPayments(recent, events, tx),
    'inventory.hold-refused.v1': (events, tx) => rejectUnheld(recent, events, tx, clock.now()),
    'bank.payment-captured.v1': (events, tx) => payOrders(recent, events, tx, clock.now()),
    'bank.payment-declined.v1': (events, tx) => rejectUnpaid(recent, events, tx, clock.now()),
    'inventory.allocation-failed.v1': (events, tx) => rejectLostHolds(events, tx, clock.now()),
    'inventory.warehouse-stock-allocated.v1': (events, tx) => hearAllocated(events, tx, clock.now()),
    'inventory.warehouse-stock-refused.v1': (events, tx) => hearRefused(events, tx, clock.now()),
  };
}

/** What orders does when its time has come. */
export function orderJobs(clock: Clock): Jobs {
  return { [CLOSING_JOB]: (timer, tx) => closeSite(timer, tx, clock.now()) };
}
