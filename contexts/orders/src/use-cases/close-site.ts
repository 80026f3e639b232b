import { isAroundTheClock, lastClosing, nextClosing, ORDER_STATUSES, type Said } from '@provender/contracts';
import { formatInstant, type Instant, MINUTE, plus } from '@provender/kernel';
import type { Timer, Tx } from '@provender/platform';
import { type AtClosing, closingOutcome } from '../domain/closing.ts';
import type { Order } from '../domain/order.ts';
import { countUndecided, lockAtClosing, moveOrders, readSites } from '../store.ts';
import { orderCancelled, orderDelivered } from './end-order.ts';
import { refundRequested } from './settle-purchases.ts';

/** Orders that one transaction of a closing ends; the next one goes on. */
export const CLOSING_BATCH_MAX = 500;
/** How soon a closing looks again for orders that were placed before it and are paid only now. */
const UNDECIDED_RECHECK = MINUTE;
const CLOSED_STATUSES = ORDER_STATUSES.filter((status) => closingOutcome(status) !== undefined);

/**
 * Ends the orders of a site's day: what is not made is cancelled and refunded, what is ready and was not collected
 * counts as delivered. Only orders placed before the last closing are meant, so it may run late, and twice. Gives the
 * moment of the next run; null for a site that is unknown or never closes.
 */
export async function closeSite(timer: Timer, tx: Tx, now: Instant): Promise<Instant | null> {
  const site = (await readSites(tx, [timer.key])).get(timer.key);
  if (site === undefined || isAroundTheClock(site)) return null;
  const closing = lastClosing(site, now);
  const orders = await lockAtClosing(tx, site.id, CLOSED_STATUSES, closing, CLOSING_BATCH_MAX);
  await endOrders(tx, orders, now);
  if (orders.length === CLOSING_BATCH_MAX) return plus(timer.dueAt, 1);
  const undecided = await countUndecided(tx, site.id, closing);
  const next = nextClosing(site, now);
  const recheck = plus(now, UNDECIDED_RECHECK);
  return undecided > 0 && recheck < next ? recheck : next;
}

async function endOrders(tx: Tx, orders: readonly Order[], now: Instant): Promise<void> {
  const ended = orders.flatMap((order) => {
    const outcome = closingOutcome(order.status);
    return outcome === undefined ? [] : [{ order, outcome }];
  });
  if (ended.length === 0) return;
  const at = formatInstant(now);
  await moveOrders(
    tx,
    ended.map(({ order, outcome: { status, reason } }) => {
      return { id: order.id, from: order.status, entry: { status, at, reason } };
    }),
  );
  tx.append(ended.flatMap(({ order, outcome }) => endingOf(order, outcome)));
}

function endingOf(order: Order, { isRefunded }: AtClosing): Said[] {
  if (!isRefunded) return [orderDelivered(order, 'not-collected')];
  return [orderCancelled(order, 'site-closed'), refundRequested(order, 'site-closed')];
}
