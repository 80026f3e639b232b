import type {
  ItemShortage,
  PartnerOrderItem,
  PartnerOrderReason,
  PartnerOrderStatus,
  WarehouseAllocation,
} from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';

/** What one attempt to process a partner order came to. */
export type PartnerDecision = {
  readonly attempt: number;
  readonly status: 'PROCESSED' | 'FAILED';
  readonly at: string;
  readonly reason?: PartnerOrderReason;
  readonly shortages?: readonly ItemShortage[];
  readonly allocations?: readonly WarehouseAllocation[];
};

/** A partner's order as it is kept. */
export type PartnerOrder = {
  readonly id: string;
  readonly number: string;
  readonly items: readonly PartnerOrderItem[];
  readonly totalQuantity: number;
  readonly importedAt: Instant;
  readonly status: PartnerOrderStatus;
  readonly attempt: number;
  /** The warehouses have been asked and have not answered yet. */
  readonly isAsked: boolean;
  readonly runId: string | null;
  readonly decisions: readonly PartnerDecision[];
};

/** The rules of its own lines that a partner order may break; the warehouses have theirs. */
export type LineRefusal = { readonly kind: 'no-items' | 'quantity-not-whole' | 'item-twice' };

/**
 * Decides whether the lines of a partner order can be asked of the warehouses at all. Refuses, in this order, an order
 * without items, a quantity that is not a positive whole number, and an item that stands there twice.
 */
export function decideLines(items: readonly PartnerOrderItem[]): Result<readonly PartnerOrderItem[], LineRefusal> {
  if (items.length === 0) return refuse({ kind: 'no-items' });
  if (!items.every(({ quantity }) => Number.isInteger(quantity) && quantity > 0)) {
    return refuse({ kind: 'quantity-not-whole' });
  }
  if (new Set(items.map(({ sku }) => sku)).size < items.length) return refuse({ kind: 'item-twice' });
  return accept(items);
}

/** Only what is new, and is not being decided already, is processed. */
export function mayBeProcessed({ status, isAsked }: Pick<PartnerOrder, 'status' | 'isAsked'>): boolean {
  return status === 'NEW' && !isAsked;
}

/**
 * Gives a partner order as it stood when an attempt was decided, wherever it has got to since: the first answer can be
 * given again. Undefined while that is still open.
 */
export function asDecided(order: PartnerOrder, attempt: number): PartnerOrder | undefined {
  const nth = order.decisions.findIndex((decision) => decision.attempt === attempt);
  const decision = order.decisions[nth];
  if (decision === undefined) return undefined;
  const { status } = decision;
  return { ...order, attempt, status, isAsked: false, decisions: order.decisions.slice(0, nth + 1) };
}

/** True while the warehouses are to answer this attempt; not where it is decided, nor where a reset has ended it. */
export function isOpen({ attempt: current, isAsked }: PartnerOrder, attempt: number): boolean {
  return isAsked && current === attempt;
}

/** The decision that its status stands on; none while it is new. */
export function currentDecision({ status, attempt, decisions }: PartnerOrder): PartnerDecision | undefined {
  return status === 'NEW' ? undefined : decisions.findLast((decision) => decision.attempt === attempt);
}
