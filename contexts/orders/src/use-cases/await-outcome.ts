import type { OrderPaid, RecordedEvent } from '@provender/contracts';
import { everyWall, type Query } from '@provender/platform';
import { acceptedAt, type Order, type Outcome, outcomeOf } from '../domain/order.ts';
import { statusOncePaid } from '../domain/payment.ts';
import { readDecidedOrders } from '../store.ts';

/** How often waiters look at the table for what nobody told them of: one query for all of them. */
const REREAD_MILLISECONDS = 500;
/** About ten seconds: then the buyer is told to ask again later. */
const REREADS_MAX = 20;

export type OutcomeWaiters = {
  /** Gives what became of a purchase, or undefined where that takes too long. */
  outcome(order: Order): Promise<Outcome | undefined>;
  /** Told of this context's own events, once they have committed. */
  committed(events: readonly RecordedEvent[]): void;
  /** Told that another process may have committed to this context's log. */
  othersCommitted(): void;
  /** How many orders are waited for. */
  readonly size: number;
  close(): void;
};

type Waiter = {
  readonly order: Order;
  readonly resolve: (outcome: Outcome | undefined) => void;
  rereadsLeft: number;
};

/**
 * Requests that wait for their orders' outcome, in memory: woken by the events of this process as they commit, and by
 * a look at the table when another process has committed; by a slow look in any case, for what was not told. One timer
 * for all; each waits a bounded time, so none is left behind by a client that has gone away.
 */
export function awaitOutcomes(query: Query): OutcomeWaiters {
  const waiting = new Map<string, Waiter[]>();
  let stop: (() => void) | undefined;
  let looking: Promise<void> | undefined;
  let hasMissed = false;

  function settle(orderId: string, outcomeFor: (waiter: Waiter) => Outcome | undefined): void {
    const waiters = waiting.get(orderId) ?? [];
    waiting.delete(orderId);
    for (const waiter of waiters) waiter.resolve(outcomeFor(waiter));
    if (waiting.size === 0) {
      stop?.();
      stop = undefined;
    }
  }

  async function reread(orderIds: readonly string[]): Promise<void> {
    if (orderIds.length === 0) return;
    for (const order of await readDecidedOrders(query, orderIds)) {
      const outcome = outcomeOf(order);
      if (outcome !== undefined) settle(order.id, () => outcome);
    }
  }

  /** Waiters younger than one turn are left to the events; those that have waited long enough get no outcome. */
  function turn(): void {
    const due: string[] = [];
    for (const [orderId, waiters] of waiting) {
      for (const waiter of waiters) waiter.rereadsLeft -= 1;
      const left = Math.min(...waiters.map((waiter) => waiter.rereadsLeft));
      if (left < 0) settle(orderId, () => undefined);
      else if (left < REREADS_MAX - 1) due.push(orderId);
    }
    // A database that is away is met again at the next turn.
    reread(due).catch(() => {});
  }

  /** One look at a time, for all who wait: what is told during it is looked for in the next. */
  function othersCommitted(): void {
    if (waiting.size === 0) return;
    if (looking !== undefined) {
      hasMissed = true;
      return;
    }
    hasMissed = false;
    looking = reread([...waiting.keys()])
      // A database that is away is met again at the next turn.
      .catch(() => {})
      .finally(() => {
        looking = undefined;
        if (hasMissed) othersCommitted();
      });
  }

  function committed(events: readonly RecordedEvent[]): void {
    if (waiting.size === 0) return;
    const rejected: string[] = [];
    for (const event of events) {
      if (!waiting.has(event.subject)) continue;
      // Own events were checked against their schema by the compiler when they were said.
      if (event.type === 'orders.order-paid.v1') settlePaid(event.data as OrderPaid);
      else if (event.type === 'orders.order-rejected.v1') rejected.push(event.subject);
    }
    // Why it was rejected stands in the table: one query tells it for the set. What it misses, the next turn finds.
    reread(rejected).catch(() => {});
  }

  function settlePaid({ orderId, handedOver, paidAt }: OrderPaid): void {
    if (paidAt === undefined) return;
    settle(orderId, ({ order }) => acceptedAt(order, { status: statusOncePaid(handedOver), at: paidAt }));
  }

  return {
    outcome(order) {
      const decided = outcomeOf(order);
      if (decided !== undefined) return Promise.resolve(decided);
      return new Promise((resolve) => {
        const waiter = { order, resolve, rereadsLeft: REREADS_MAX };
        const others = waiting.get(order.id);
        if (others === undefined) waiting.set(order.id, [waiter]);
        else others.push(waiter);
        stop ??= everyWall(REREAD_MILLISECONDS, turn);
      });
    },
    committed,
    othersCommitted,
    get size() {
      return waiting.size;
    },
    close() {
      for (const orderId of [...waiting.keys()]) settle(orderId, () => undefined);
    },
  };
}
