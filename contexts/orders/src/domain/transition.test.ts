import { ORDER_STATUSES, type OrderStatus, orderRules } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { closingOutcome } from './closing.ts';
import { decideLostHold } from './allocation.ts';
import { decideCancel, decideStatus } from './transition.ts';

// The table of design §5, written out once more: a slip in the one that everybody reads would show here.
const steps: readonly [OrderStatus, OrderStatus][] = [
  ['waiting', 'preparation'],
  ['waiting', 'ready'],
  ['preparation', 'waiting'],
  ['preparation', 'ready'],
  ['ready', 'preparation'],
  ['ready', 'delivered'],
];
const customerMayCancel: readonly OrderStatus[] = ['waiting', 'preparation'];
const staffMayCancel: readonly OrderStatus[] = ['waiting', 'preparation', 'ready'];

const pairs = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => [from, to] as const));

describe('decideStatus', () => {
  test.each(pairs)('given an order that is %s, when staff sets %s, then the table decides', (from, to) => {
    const isStep = steps.some((step) => step[0] === from && step[1] === to);
    const allowed = orderRules[from].staffMaySet;
    const expected = isStep
      ? { ok: true, value: to }
      : { ok: false, refusal: { kind: 'illegal-transition', from, to, allowed } };
    expect(decideStatus(from, to)).toEqual(expected);
  });
});

describe('decideCancel', () => {
  test.each(ORDER_STATUSES)('given an order that is %s, when its owner cancels, then the table decides', (from) => {
    const decided = decideCancel(from, { isOwner: true, isStaff: false });
    expect(decided.ok).toBe(customerMayCancel.includes(from));
    if (decided.ok) expect(decided.value).toBe('cancelled-by-customer');
    else expect(decided.refusal).toEqual({ kind: 'illegal-transition', from, to: 'cancelled', allowed: [] });
  });

  test.each(ORDER_STATUSES)('given an order that is %s, when staff cancels, then the table decides', (from) => {
    const decided = decideCancel(from, { isOwner: false, isStaff: true });
    expect(decided.ok).toBe(staffMayCancel.includes(from));
    if (decided.ok) expect(decided.value).toBe('cancelled-by-staff');
    else expect(decided.refusal.allowed).toEqual(orderRules[from].staffMaySet);
  });

  test('given staff who ordered something themselves, when it is ready, then they may cancel as staff', () => {
    const both = { isOwner: true, isStaff: true };
    expect(decideCancel('waiting', both)).toEqual({ ok: true, value: 'cancelled-by-customer' });
    expect(decideCancel('ready', both)).toEqual({ ok: true, value: 'cancelled-by-staff' });
  });
});

describe('closingOutcome', () => {
  test.each(ORDER_STATUSES)(
    'given an order that is %s, when its site closes, then it ends only if it was open',
    (from) => {
      const cancelled = { status: 'cancelled', reason: 'site-closed', isRefunded: true };
      const expected: Partial<Record<OrderStatus, object>> = {
        waiting: cancelled,
        preparation: cancelled,
        ready: { status: 'delivered', reason: 'not-collected', isRefunded: false },
      };
      expect(closingOutcome(from)).toEqual(expected[from]);
    },
  );
});

describe('decideLostHold', () => {
  test.each(ORDER_STATUSES)(
    'given an order that is %s, when its hold was lost, then it is rejected if it was paid',
    (from) => {
      expect(decideLostHold(from)).toBe(['waiting', 'preparation', 'ready', 'delivered'].includes(from));
    },
  );
});
