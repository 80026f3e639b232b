import type { CancelReason, Said } from '@provender/contracts';
import type { Order } from '../domain/order.ts';

type Ended = Pick<Order, 'id' | 'siteId' | 'customerId'>;

export function orderCancelled({ id, siteId, customerId }: Ended, reason: CancelReason): Said {
  return {
    type: 'orders.order-cancelled.v1',
    key: siteId,
    subject: id,
    data: { orderId: id, siteId, ...(customerId === null ? {} : { customerId }), reason },
  };
}

/** Handed over to who ordered it, or left behind by them: the units of the order are sold. */
export function orderDelivered({ id, siteId, customerId }: Ended, reason?: 'not-collected'): Said {
  return {
    type: 'orders.order-delivered.v1',
    key: siteId,
    subject: id,
    data: {
      orderId: id,
      siteId,
      ...(customerId === null ? {} : { customerId }),
      ...(reason === undefined ? {} : { reason }),
    },
  };
}
