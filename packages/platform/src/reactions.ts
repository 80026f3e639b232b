import type { EventType, Heard, RecordedEvent } from '@provender/contracts';
import type { Tx } from './database.ts';
import { causedBy } from './trace.ts';

const inOneGo = Symbol('in one go');
const inOrderOfKey = Symbol('in the order of their key');

/**
 * What a context does when something happened elsewhere: event type → use case over a set of such events.
 * Types of one set run in the order in which they are listed here; the events of one subject always run in theirs.
 */
export type Reactions = { readonly [Type in EventType]?: (events: readonly Heard<Type>[], tx: Tx) => Promise<void> } & {
  readonly [inOneGo]?: AnyReaction;
  readonly [inOrderOfKey]?: ReadonlySet<string>;
};

type AnyReaction = (events: readonly RecordedEvent[], tx: Tx) => Promise<void>;

/** One reaction to events of all these types: it gets a set of one source as it was said, whatever the types. */
export function reactInOneGo(types: readonly EventType[], react: AnyReaction): Reactions {
  const byType = Object.fromEntries(types.map((type) => [type, react])) as Reactions;
  return { ...byType, [inOneGo]: react };
}

/**
 * The same reactions, where events of these types run as they were said among all of one key, not only of one subject:
 * for subjects that compete for the same thing. Their order with events of other types is not kept.
 */
export function reactInOrderOfKey(reactions: Reactions, types: readonly EventType[]): Reactions {
  return { ...reactions, [inOrderOfKey]: new Set<string>(types) };
}

/** The same reactions, and another one to events of that type, which comes first where there is one already. */
export function alsoReacting<Type extends EventType>(
  reactions: Reactions,
  type: Type,
  react: (events: readonly Heard<Type>[], tx: Tx) => Promise<void>,
): Reactions {
  // Events of a type are given to the reactions to that type alone.
  const also = react as AnyReaction;
  const own = reactions[type] as AnyReaction | undefined;
  const all = reactions[inOneGo];
  async function both(events: readonly RecordedEvent[], tx: Tx): Promise<void> {
    const known = all === undefined || own !== undefined ? events : events.filter((event) => event.type !== type);
    const wanted = events.filter((event) => event.type === type);
    if (wanted.length > 0) await also(wanted, tx);
    if (known.length > 0) await (all ?? own)?.(known, tx);
  }
  const extended = { ...reactions, [type]: both };
  return all === undefined ? extended : { ...extended, [inOneGo]: both };
}

/** Thrown where an event comes that this version has no reaction to: a parked one run again, or a bad relay's. */
export class UnknownEvent extends Error {}

const NO_TYPES: ReadonlySet<string> = new Set();

/**
 * Groups a set into runs of one type, so that each run is one call. A new wave begins for a subject whose next event is
 * of a type listed before the one it has had: so order is kept per subject, and sets stay large. Of `typesByKey` order
 * is kept per key.
 */
export function wavesOf(
  events: readonly RecordedEvent[],
  order: readonly string[],
  typesByKey: ReadonlySet<string> = NO_TYPES,
): Map<string, RecordedEvent[]>[] {
  const rank = new Map(order.map((type, index) => [type, index]));
  const waves: Map<string, RecordedEvent[]>[] = [];
  const lastOf = new Map<string, { wave: number; rank: number }>();
  for (const event of events) {
    const eventRank = rank.get(event.type) ?? order.length;
    const line = typesByKey.has(event.type) ? `key ${event.key}` : event.subject;
    const last = lastOf.get(line);
    const wave = last === undefined ? 0 : eventRank < last.rank ? last.wave + 1 : last.wave;
    lastOf.set(line, { wave, rank: eventRank });
    const runs = (waves[wave] ??= new Map<string, RecordedEvent[]>());
    const run = runs.get(event.type);
    if (run === undefined) runs.set(event.type, [event]);
    else run.push(event);
  }
  return waves;
}

/** Runs the reactions to a set of events of one source, in waves. Throws what a reaction throws. */
export async function runReactions(reactions: Reactions, events: readonly RecordedEvent[], tx: Tx): Promise<void> {
  const order = Object.keys(reactions);
  const unknown = events.find((event) => !Object.hasOwn(reactions, event.type));
  if (unknown !== undefined) throw new UnknownEvent(`No reaction to ${unknown.type}`);
  if (reactions[inOneGo] !== undefined) return reactions[inOneGo](events, causedBy(tx, events));
  for (const wave of wavesOf(events, order, reactions[inOrderOfKey])) {
    for (const type of order) {
      const run = wave.get(type);
      const react = reactions[type as EventType] as AnyReaction | undefined;
      if (run !== undefined && react !== undefined) await react(run, causedBy(tx, run));
    }
  }
}
