import { type Heard, PARTNER_ORDERS_KEY, type PartnerOrderReason, type Said } from '@provender/contracts';
import { formatInstant, type Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { decideLines, mayBeProcessed, type PartnerOrder } from '../domain/partner-order.ts';
import {
  type Decided,
  growRun,
  insertRun,
  lockNext,
  lockPartnerOrder,
  noteAsked,
  noteDecided,
  resetAll,
} from '../store/partner-orders.ts';

/** Partner orders that one transaction takes; a run goes on with the next. */
export const PARTNER_ORDERS_AT_ONCE_MAX = 200;

/** Begins a run, that takes nothing yet. */
export async function beginRun(tx: Tx, runId: string, now: Instant): Promise<void> {
  await insertRun(tx, runId, now);
}

/**
 * Takes the next partner orders that are new for a run: those whose lines cannot be right fail here, for the others the
 * warehouses are asked. Gives whether there may be more. What another run has in hand is left to it.
 */
export async function takeNext(tx: Tx, runId: string, now: Instant): Promise<boolean> {
  const orders = await lockNext(tx, PARTNER_ORDERS_AT_ONCE_MAX);
  const isMore = orders.length === PARTNER_ORDERS_AT_ONCE_MAX;
  await growRun(tx, runId, orders.length, !isMore);
  if (orders.length > 0) await ask(tx, orders, runId, now);
  return isMore;
}

/**
 * Processes one partner order in a run of its own. Gives it as it was before, and the attempt that decides about it;
 * undefined where there is none. One that is decided, or about to be, is left as it is.
 */
export async function takeOne(
  tx: Tx,
  orderId: string,
  runId: string,
  now: Instant,
): Promise<{ readonly order: PartnerOrder; readonly attempt: number } | undefined> {
  const order = await lockPartnerOrder(tx, orderId);
  if (order === undefined) return undefined;
  if (!mayBeProcessed(order)) return { order, attempt: order.attempt };
  await insertRun(tx, runId, now);
  await growRun(tx, runId, 1, true);
  await ask(tx, [order], runId, now);
  return { order, attempt: order.attempt + 1 };
}

async function ask(tx: Tx, orders: readonly PartnerOrder[], runId: string, now: Instant): Promise<void> {
  await noteAsked(
    tx,
    orders.map(({ id }) => id),
    runId,
    now,
  );
  const failed: Decided[] = [];
  for (const order of orders) {
    const lines = decideLines(order.items);
    const attempt = order.attempt + 1;
    if (lines.ok) tx.append([stockRequested(order, attempt)]);
    else failed.push({ id: order.id, attempt, status: 'FAILED', at: formatInstant(now), reason: lines.refusal.kind });
  }
  if (failed.length > 0) await noteDecided(tx, failed, now);
}

function stockRequested({ id, number, items }: PartnerOrder, attempt: number): Said {
  return {
    type: 'orders.partner-stock-requested.v1',
    key: PARTNER_ORDERS_KEY,
    subject: id,
    data: { partnerOrderId: id, number, attempt, items: items.map(({ sku, quantity }) => ({ sku, quantity })) },
  };
}

/** The warehouses have set everything aside. */
export async function hearAllocated(
  events: readonly Heard<'inventory.warehouse-stock-allocated.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const at = formatInstant(now);
  const decided = events.map(({ data: { partnerOrderId, attempt, allocations } }): Decided => {
    return { id: partnerOrderId, attempt, status: 'PROCESSED', at, allocations };
  });
  await noteDecided(tx, decided, now);
}

/** The warehouses have too little. */
export async function hearRefused(
  events: readonly Heard<'inventory.warehouse-stock-refused.v1'>[],
  tx: Tx,
  now: Instant,
): Promise<void> {
  const at = formatInstant(now);
  const decided = events.map(({ data: { partnerOrderId, attempt, reason, shortages } }): Decided => {
    const why: PartnerOrderReason = reason;
    return { id: partnerOrderId, attempt, status: 'FAILED', at, reason: why, shortages };
  });
  await noteDecided(tx, decided, now);
}

/**
 * Makes every partner order new again, and says so: the warehouses take back what they gave. An order that they are
 * just deciding about counts as decided: the answer comes too late. Gives how many are new again.
 */
export async function resetPartnerOrders(tx: Tx, now: Instant): Promise<number> {
  const former = await resetAll(tx, now);
  tx.append(
    former.map(({ id, attempt }): Said => {
      const data = { partnerOrderId: id, attempt };
      return { type: 'orders.partner-order-reset.v1', key: PARTNER_ORDERS_KEY, subject: id, data };
    }),
  );
  return former.length;
}
