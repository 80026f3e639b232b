import type { EventType } from '@provender/contracts';
import { type Clock, type Ids, reactInOneGo, type Reactions } from '@provender/platform';
import { hearEvents } from './use-cases/hear-events.ts';

/** What is heard, of each context whose log it is. Orders come first: what the bank says of one comes after it. */
const HEARD: readonly EventType[] = [
  'identity.user-registered.v1',
  'identity.roles-changed.v1',
  'catalog.site-defined.v1',
  'catalog.product-defined.v1',
  'orders.order-placed.v1',
  'orders.order-paid.v1',
  'orders.order-rejected.v1',
  'orders.order-status-changed.v1',
  'orders.order-delivered.v1',
  'orders.order-cancelled.v1',
  'inventory.units-made.v1',
  'inventory.units-held.v1',
  'inventory.units-released.v1',
  'inventory.units-discarded.v1',
  'bank.deposit-received.v1',
  'bank.payment-refunded.v1',
];

export type ReactionsPlace = {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publishes: boolean;
  /** Told that there are messages to send, once the set commits. */
  readonly note: () => void;
};

/** What notifications does when something has happened elsewhere: a whole set of events in one go. */
export function reactions({ clock, ids, publishes, note }: ReactionsPlace): Reactions {
  const nextId = () => ids.next();
  return reactInOneGo(HEARD, (events, tx) => hearEvents(tx, events, { now: clock.now(), nextId, publishes, note }));
}
