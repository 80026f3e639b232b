import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Tx } from './database.ts';
import { parkEvents } from './parked-events.ts';
import type { Standing } from './standing.ts';
import type { Delivery } from './transport.ts';

/**
 * What of these takes effect now: one set for each source, whatever partitions it comes in, in the order of the log.
 * The others are parked: with `poison` all of them, for that reason.
 */
export async function freeEvents(
  standing: Standing,
  tx: Tx,
  deliveries: readonly Delivery[],
  poison: unknown,
): Promise<(readonly RecordedEvent[])[]> {
  const sets = new Map<ContextName, readonly RecordedEvent[]>();
  for (const delivery of deliveries) {
    const free = poison === undefined ? await parkBlocked(standing, tx, delivery) : await park(tx, delivery, poison);
    if (free.length === 0) continue;
    const others = sets.get(delivery.source);
    const all = others === undefined ? free : [...others, ...free].toSorted((one, two) => one.position - two.position);
    sets.set(delivery.source, all);
  }
  return [...sets.values()];
}

/** Events whose subject waits behind a parked one join it there; gives the others. */
async function parkBlocked(standing: Standing, tx: Tx, delivery: Delivery): Promise<readonly RecordedEvent[]> {
  if (!standing.hasParked()) return delivery.events;
  const blocked = delivery.events.filter((event) => standing.isParked(event.source, event.subject));
  if (blocked.length === 0) return delivery.events;
  await parkEvents(tx, delivery.partition, blocked, null);
  return delivery.events.filter((event) => !blocked.includes(event));
}

async function park(tx: Tx, delivery: Delivery, error: unknown): Promise<readonly RecordedEvent[]> {
  await parkEvents(tx, delivery.partition, delivery.events, error);
  return [];
}
