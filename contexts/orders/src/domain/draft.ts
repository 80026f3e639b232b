import type { OrderDraft, TenderDraft } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';
import type { Placement } from './placement.ts';

/** Who asks: nobody orders in somebody else's name, but staff sells over the counter. */
export type Buyer = { readonly id: string; readonly isStaff: boolean };

export type DraftRefusal =
  | { readonly kind: 'counter-is-for-staff' }
  | { readonly kind: 'invalid-draft'; readonly pointer: string; readonly detail: string };

export type WantedOrder = { readonly placement: Placement; readonly customerId: string | null };

/**
 * Reads what was asked for. Without a channel it is an order in the shop, for oneself and from one's own account.
 * Refuses the counter and its tender to customers, a tender in the shop, a counter sale without one, and a tender with
 * members that do not belong to its kind.
 */
export function readDraft(draft: OrderDraft, buyer: Buyer): Result<WantedOrder, DraftRefusal> {
  const { siteId, lines, channel = 'shop', tender } = draft;
  if (!buyer.isStaff && (channel === 'counter' || tender !== undefined))
    return refuse({ kind: 'counter-is-for-staff' });
  if (channel === 'shop') {
    if (tender !== undefined) return invalid('/tender', 'goes with the channel counter');
    return accept({
      placement: { siteId, channel, tender: 'account', received: null, lines },
      customerId: buyer.id,
    });
  }
  if (tender === undefined) return invalid('/tender', 'is missing: a counter sale says how it is paid');
  const fault = tenderFault(tender);
  if (fault !== undefined) return fault;
  return accept({
    placement: { siteId, channel, tender: tender.kind, received: tender.received ?? null, lines },
    customerId: tender.customerId ?? null,
  });
}

function tenderFault({ kind, received, customerId }: TenderDraft) {
  if (kind !== 'cash' && received !== undefined) return invalid('/tender/received', 'goes with cash');
  if (kind !== 'account' && customerId !== undefined) return invalid('/tender/customerId', 'goes with an account');
  if (kind === 'account' && customerId === undefined) return invalid('/tender/customerId', 'is missing');
  return undefined;
}

function invalid(pointer: string, detail: string) {
  return refuse({ kind: 'invalid-draft', pointer, detail } as const);
}
