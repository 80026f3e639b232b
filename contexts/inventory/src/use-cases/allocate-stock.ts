import {
  PARTNER_ORDERS_KEY,
  type PartnerOrderReset,
  type PartnerStockRequested,
  type Said,
} from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { decideAllocations, type StockDecision } from '../domain/warehouse-allocation.ts';
import { allocate, readAllocated, readFreeStock, release } from '../store/warehouse-ledger.ts';
import { lockSource } from '../store/warehouses.ts';

/**
 * Sets warehouse stock aside for partner orders, in the order in which they ask: for each all that it wants, or none.
 * An attempt that has been given stock before is not given any again.
 */
export async function allocateForPartners(
  tx: Tx,
  requests: readonly PartnerStockRequested[],
  now: Instant,
): Promise<void> {
  await lockSource(tx);
  const wishes = await notYetAllocated(tx, requests);
  if (wishes.length === 0) return;
  const skus = [...new Set(wishes.flatMap(({ items }) => items.map(({ sku }) => sku)))];
  const decisions = decideAllocations(wishes, await readFreeStock(tx, skus));
  const allocations = decisions.flatMap(({ wish: { partnerOrderId, attempt }, outcome }) =>
    outcome.ok ? outcome.value.map((each) => ({ reference: partnerOrderId, attempt, ...each })) : [],
  );
  if (allocations.length > 0) await allocate(tx, allocations, 'partner-order', now);
  tx.append(decisions.map(decided));
}

async function notYetAllocated(tx: Tx, requests: readonly PartnerStockRequested[]): Promise<PartnerStockRequested[]> {
  const attempts = requests.map(({ partnerOrderId, attempt }) => ({ reference: partnerOrderId, attempt }));
  const given = new Set((await readAllocated(tx, attempts)).map(({ reference, attempt }) => `${reference} ${attempt}`));
  return requests.filter(({ partnerOrderId, attempt }) => !given.has(`${partnerOrderId} ${attempt}`));
}

function decided({ wish: { partnerOrderId, attempt }, outcome }: StockDecision): Said {
  const about = { key: PARTNER_ORDERS_KEY, subject: partnerOrderId };
  if (outcome.ok) {
    const data = { partnerOrderId, attempt, allocations: [...outcome.value] };
    return { type: 'inventory.warehouse-stock-allocated.v1', ...about, data };
  }
  const { kind, shortages } = outcome.refusal;
  const data = { partnerOrderId, attempt, reason: kind, shortages: [...shortages] };
  return { type: 'inventory.warehouse-stock-refused.v1', ...about, data };
}

/** Gives back what partner orders had that are as new again. */
export async function releaseForPartners(tx: Tx, resets: readonly PartnerOrderReset[], now: Instant): Promise<void> {
  const attempts = resets.map(({ partnerOrderId, attempt }) => ({ reference: partnerOrderId, attempt }));
  await release(tx, attempts, now);
}
