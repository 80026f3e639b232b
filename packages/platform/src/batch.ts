import { errorCode, isUnavailable } from './database-errors.ts';
import { STALE_CURSOR_CODE } from './event-log.ts';
import type { Delivery } from './transport.ts';

/** A command that waits for its outcome. */
export type Pending = {
  readonly command: unknown;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/** What one transaction of a loop carries. */
export type Batch = {
  readonly deliveries: readonly Delivery[];
  readonly commands: readonly Pending[];
  /** The connection on which the deliveries were fetched: what it was told may be untrue on another one. */
  readonly connection: number;
};

/** The connection on which a set was fetched is gone. */
export class Reconnected extends Error {}

/** A set was cut off by the database or by another consumer; its commands have had no answer yet. */
export class Interrupted extends Error {
  readonly commands: readonly Pending[];

  constructor(commands: readonly Pending[], cause: unknown) {
    super('The set was interrupted', { cause });
    this.commands = commands;
  }
}

/** Somebody else is the consumer now, or it has connected anew: part of the day's work, not worth a word. */
export function isTakenOver(error: unknown): boolean {
  return errorCode(error) === STALE_CURSOR_CODE || error instanceof Reconnected;
}

/** Nothing is wrong with the set: the database is away, or the set is somebody else's. */
export function isInterruption(error: unknown): boolean {
  return isUnavailable(error) || isTakenOver(error);
}

/** Splits a set in two, in order; the second is undefined where there is only one thing in it. */
export function halves(batch: Batch): [Batch, Batch | undefined] {
  const { deliveries, commands } = batch;
  const events = deliveries.reduce((sum, delivery) => sum + Math.max(1, delivery.events.length), 0);
  if (events + commands.length <= 1) return [batch, undefined];
  if (deliveries.length === 0) {
    const middle = Math.ceil(commands.length / 2);
    return [
      { ...batch, commands: commands.slice(0, middle) },
      { ...batch, commands: commands.slice(middle) },
    ];
  }
  if (commands.length > 0)
    return [
      { ...batch, commands: [] },
      { ...batch, deliveries: [] },
    ];
  if (deliveries.length > 1) {
    const middle = Math.ceil(deliveries.length / 2);
    return [
      { ...batch, deliveries: deliveries.slice(0, middle) },
      { ...batch, deliveries: deliveries.slice(middle) },
    ];
  }
  const [delivery] = deliveries as [Delivery];
  const middle = Math.ceil(delivery.events.length / 2);
  const head = delivery.events.slice(0, middle);
  return [
    { ...batch, deliveries: [{ ...delivery, events: head, upTo: head.at(-1)?.position ?? delivery.upTo }] },
    { ...batch, deliveries: [{ ...delivery, events: delivery.events.slice(middle) }] },
  ];
}
