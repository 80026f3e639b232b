import { type CancelReason, type OrderStatus, orderRules } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

/** Refused: the table does not lead there. `allowed` is where staff may go instead. */
export type IllegalTransition = {
  readonly kind: 'illegal-transition';
  readonly from: OrderStatus;
  readonly to: OrderStatus;
  readonly allowed: readonly OrderStatus[];
};

/** Decides whether staff may set a status. Refuses what the table of `orderRules` does not list. */
export function decideStatus(from: OrderStatus, to: OrderStatus): Result<OrderStatus, IllegalTransition> {
  const allowed: readonly OrderStatus[] = orderRules[from].staffMaySet;
  return allowed.includes(to) ? accept(to) : refuse({ kind: 'illegal-transition', from, to, allowed });
}

/** Who wants to cancel. Somebody may be both: staff who bought something themselves. */
export type Canceller = { readonly isOwner: boolean; readonly isStaff: boolean };

/**
 * Decides whether an order may be cancelled, and says whose doing it is. An owner may until it is ready, staff until it
 * is handed over; owners who are staff may what staff may. Refuses every other status.
 */
export function decideCancel(from: OrderStatus, by: Canceller): Result<CancelReason, IllegalTransition> {
  const { customerMayCancel, staffMayCancel, staffMaySet } = orderRules[from];
  if (by.isOwner && customerMayCancel) return accept('cancelled-by-customer');
  if (by.isStaff && staffMayCancel) return accept('cancelled-by-staff');
  return refuse({ kind: 'illegal-transition', from, to: 'cancelled', allowed: by.isStaff ? staffMaySet : [] });
}
