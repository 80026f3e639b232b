import type { OrderDelivered, OrderPaid, Said } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { costedGroup } from '../domain/unit.ts';
import { type SettledGroup, type Settlement, settleHolds } from '../store/shelf.ts';

/**
 * Turns the holds of paid orders into allocations, or sells them where the goods changed hands at once. Says so where a
 * hold is no longer there with all its units: the money goes back then. An order that wants no units needs no hold.
 */
export async function settlePaidOrders(tx: Tx, orders: readonly OrderPaid[], now: Instant): Promise<void> {
  const wanting = orders.filter(({ units }) => units > 0);
  if (wanting.length === 0) return;
  const settlements = wanting.map(({ orderId, handedOver, units }): Settlement => {
    return { orderId, to: handedOver ? 'sold' : 'allocated', units };
  });
  const settled = byOrder(await settleHolds(tx, settlements, now));
  tx.append(
    wanting.map(({ orderId, siteId }): Said => {
      const groups = settled.get(orderId);
      if (groups === undefined) return said('inventory.allocation-failed.v1', orderId, siteId);
      if (groups[0]?.state === 'allocated') return said('inventory.units-allocated.v1', orderId, siteId);
      return unitsSold(orderId, siteId, groups);
    }),
  );
}

/** Sells what was allocated to orders that have been handed over. One without units has nothing to be sold. */
export async function sellDelivered(tx: Tx, orders: readonly OrderDelivered[], now: Instant): Promise<void> {
  const settlements = orders.map(({ orderId }): Settlement => ({ orderId, to: 'sold', units: null }));
  const settled = byOrder(await settleHolds(tx, settlements, now));
  tx.append(
    orders.flatMap(({ orderId, siteId }) => {
      const groups = settled.get(orderId);
      return groups === undefined ? [] : [unitsSold(orderId, siteId, groups)];
    }),
  );
}

function byOrder(groups: readonly SettledGroup[]): Map<string, SettledGroup[]> {
  return Map.groupBy(groups, ({ orderId }) => orderId);
}

function said(
  type: 'inventory.allocation-failed.v1' | 'inventory.units-allocated.v1',
  orderId: string,
  siteId: string,
): Said {
  return { type, key: siteId, subject: orderId, data: { orderId, siteId } };
}

function unitsSold(orderId: string, siteId: string, groups: readonly SettledGroup[]): Said {
  return {
    type: 'inventory.units-sold.v1',
    key: siteId,
    subject: orderId,
    data: { orderId, siteId, units: groups.map(costedGroup) },
  };
}
