import { problem } from '@provender/platform';
import type { DraftRefusal } from '../domain/draft.ts';
import type { Rejection } from '../domain/order.ts';
import type { PlacementRefusal } from '../domain/placement.ts';
import type { IllegalTransition } from '../domain/transition.ts';
import type { OrderUnknown } from '../use-cases/change-status.ts';
import { placementProblems } from '../use-cases/place-orders.ts';

/** What `POST /api/orders` may refuse with, beside what any route may. */
export const purchaseProblems = {
  ...placementProblems,
  'insufficient-stock': 409,
  'payment-declined': 402,
} as const;

export const transitionProblems = { 'illegal-transition': 409 } as const;

type Headers = Readonly<Record<string, string>>;

export function draftProblem(refusal: DraftRefusal) {
  if (refusal.kind === 'counter-is-for-staff') {
    return problem('forbidden', { detail: 'Only staff may sell over the counter and name a tender.' });
  }
  const { pointer, detail } = refusal;
  return problem('invalid-request', { detail: 'The request is not right.', errors: [{ pointer, detail }] });
}

export function placementProblem(refusal: PlacementRefusal, headers: Headers) {
  switch (refusal.kind) {
    case 'site-unknown':
      return problem('not-found', { detail: 'There is no such site.' }, headers);
    case 'site-closed':
      return problem('site-closed', { detail: 'The site is closed now; it takes orders while it is open.' }, headers);
    case 'product-unavailable': {
      const { kind, ...product } = refusal;
      return problem(kind, { detail: 'A product or variation is not sold here, or no longer.', ...product }, headers);
    }
    case 'total-too-large':
      return problem('total-too-large', { detail: 'The total is beyond the largest amount of one order.' }, headers);
    case 'currency-mismatch': {
      const { kind, currency } = refusal;
      return problem(kind, { detail: `This site takes ${currency}.`, currency }, headers);
    }
    case 'received-too-little': {
      const { kind, total } = refusal;
      return problem(kind, { detail: 'Less was received than the total.', total }, headers);
    }
  }
}

const DECLINE_DETAILS = {
  'insufficient-funds': 'The account does not hold enough for this order.',
  'too-late': 'The payment came too late; nothing was taken. Order again.',
  'currency-mismatch': 'The account is in another currency than this order.',
} as const;

export function rejectionProblem(orderId: string, rejection: Rejection, headers: Headers) {
  if (rejection.kind === 'insufficient-stock') {
    const { kind, shortages } = rejection;
    return problem(kind, { detail: 'There is not enough left of what was ordered.', shortages, orderId }, headers);
  }
  const { kind, cause } = rejection;
  return problem(kind, { detail: DECLINE_DETAILS[cause], reason: cause, orderId }, headers);
}

export function orderProblem(refusal: OrderUnknown | IllegalTransition) {
  if (refusal.kind === 'order-unknown') return problem('not-found', { detail: 'There is no such order.' });
  const { kind, ...members } = refusal;
  return problem(kind, { detail: `An order that is ${members.from} cannot become ${members.to}.`, ...members });
}
