import type { OrderView } from '@provender/contracts';
import { formatInstant, money } from '@provender/kernel';
import type { Rendered } from '@provender/platform';
import type { Order } from '../domain/order.ts';
import { changeOf } from '../domain/payment.ts';

/** An order as the API shows it. Who on the staff did what is for staff; a customer sees their own deeds. */
export function orderView(
  order: Order,
  viewer: { readonly id: string; readonly isStaff: boolean },
): Rendered<OrderView> {
  const { currency, receivedAmount, history } = order;
  const total = money(order.totalAmount, currency);
  const shown = history.map(({ status, at, by, reason }) => {
    return { status, at, by: viewer.isStaff || by === viewer.id ? by : undefined, reason };
  });
  const received = receivedAmount === null ? undefined : money(receivedAmount, currency);
  return {
    id: order.id,
    siteId: order.siteId,
    customerId: order.customerId ?? undefined,
    channel: order.channel,
    status: order.status,
    reason: order.reason ?? undefined,
    lines: order.lines,
    total,
    tender: { kind: order.tender, received },
    change: receivedAmount === null ? undefined : changeOf(receivedAmount, total),
    note: order.note ?? undefined,
    placedAt: formatInstant(order.placedAt),
    updatedAt: history.at(-1)?.at ?? formatInstant(order.placedAt),
    history: shown,
  };
}
