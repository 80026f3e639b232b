import { type Heard } from '@provender/contracts';
import { parseInstant } from '@provender/kernel';
import type { Clock, Ids, Reactions } from '@provender/platform';
import type { Payment } from './domain/payment.ts';
import { openCustomerAccounts } from './use-cases/open-accounts.ts';
import { refundOrders } from './use-cases/refund-orders.ts';
import { takePayments } from './use-cases/take-payments.ts';

/** What the bank does when something has happened elsewhere. Each takes a whole set of events at once. */
export function reactions(platform: { readonly clock: Clock; readonly ids: Ids }): Reactions {
  const moment = () => ({ now: platform.clock.now(), ids: platform.ids });
  return {
    'identity.user-registered.v1': async (events, tx) => {
      const userIds = events.map((event) => event.data.userId);
      await openCustomerAccounts(tx, userIds, platform.clock.now());
    },
    'orders.payment-requested.v1': (events, tx) => takePayments(tx, events.map(paymentOf), moment()),
    'orders.refund-requested.v1': async (events, tx) => {
      const orderIds = events.map((event) => event.data.orderId);
      await refundOrders(tx, orderIds, moment());
    },
  };
}

function paymentOf({ data }: Heard<'orders.payment-requested.v1'>): Payment {
  const notAfter = parseInstant(data.notAfter);
  if (notAfter === undefined) throw new Error(`The last moment of a payment is no instant: ${data.notAfter}`);
  return { ...data, notAfter };
}
