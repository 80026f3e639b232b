import type { HoldRefused, OrderPaid, RecordedEvent, Shortage } from '@provender/contracts';
import type { Transport } from '@provender/platform';

/** What became of an order that was placed. */
export type Decision =
  | { readonly kind: 'paid'; readonly isHandedOver: boolean; readonly total: number }
  | { readonly kind: 'short'; readonly shortages: readonly Shortage[] }
  | { readonly kind: 'rejected' };

export type Decisions = {
  /** The same transport, with somebody who listens to what is committed. */
  readonly transport: Transport;
  /** Resolves when the order is decided. Ask before it is placed; for one order at a time. */
  of(orderId: string): Promise<Decision>;
};

/**
 * Hears the decisions of this process's own commits as they are made, so that nobody need ask the database for them.
 */
export function hearDecisions(transport: Transport): Decisions {
  let waiting: { readonly orderId: string; readonly resolve: (decision: Decision) => void } | undefined;
  let shortages: readonly Shortage[] | undefined;

  function hear({ type, subject, data }: RecordedEvent): void {
    if (waiting?.orderId !== subject) return;
    // Own events were checked against their schema by the compiler when they were said.
    if (type === 'inventory.hold-refused.v1') shortages = (data as HoldRefused).shortages;
    if (type === 'orders.order-rejected.v1') {
      waiting.resolve(shortages === undefined ? { kind: 'rejected' } : { kind: 'short', shortages });
    }
    if (type === 'orders.order-paid.v1') {
      const { handedOver, total } = data as OrderPaid;
      waiting.resolve({ kind: 'paid', isHandedOver: handedOver, total: total.amount });
    }
  }

  return {
    transport: {
      ...transport,
      committed(context, events) {
        for (const event of events) hear(event);
        transport.committed(context, events);
      },
    },
    of(orderId) {
      shortages = undefined;
      return new Promise((resolve) => {
        waiting = { orderId, resolve };
      });
    },
  };
}
