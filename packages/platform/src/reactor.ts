import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '@provender/contracts';
import { type Batch, halves, Interrupted, isInterruption, isTakenOver, type Pending, Reconnected } from './batch.ts';
import { openBell } from './bell.ts';
import type { Database, Tx } from './database.ts';
import type { EventLog } from './event-log.ts';
import { freeEvents } from './free-events.ts';
import { type Reactions, runReactions } from './reactions.ts';
import { openStanding } from './standing.ts';
import { traceIdOf } from './trace.ts';
import { type Cursors, cursorKey, type Delivery, type Subscription, type Transport } from './transport.ts';

/** Events of one partition, and commands, that one transaction carries: 50 give most of the gain, 200 all of it. */
export const BATCH_EVENTS_MAX = 200;
export const BATCH_COMMANDS_MAX = 200;
/** Of a consumer that rests between its sets. */
const RESTED_BATCH_EVENTS_MAX = 1_000;
/** Commands that may wait for their turn; more are refused as overload. */
const COMMANDS_WAITING_MAX = 5_000;
const POLL_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS_MAX = 2_000;
const EVENT_ATTEMPTS_MAX = 3;
/** A loop that cannot go on says so at first, and then about every two minutes. */
const REPORT_EVERY_FAILURES = 60;
const LOCK_RETRY_MILLISECONDS = 100;
/** How soon a standby looks again how far the consumer has come, while somebody waits for that. */
const AWAITED_LOOK_MILLISECONDS = 20;

/** Takes commands in sets, in the same transactions as the reactions of its context. Must be safe to run twice. */
export type Intake = { handle(commands: readonly unknown[], tx: Tx): Promise<readonly unknown[]> };

export type ReactorOptions = {
  readonly context: ContextName;
  /** A database object with one connection, of this reactor alone. */
  readonly db: Database;
  readonly log: EventLog;
  readonly transport: Transport;
  readonly reactions: Reactions;
  readonly intake?: Intake;
  /** Between sets, so that each carries much; while nobody waits for this consumer. */
  readonly restMilliseconds?: number;
  /** Told after each commit of a set. */
  readonly afterConsumed?: () => void;
  /** `about` says which event it was, where there is one. */
  readonly onError: (message: string, error: unknown, about?: object) => void;
};

export type Reactor = {
  readonly context: ContextName;
  readonly sources: readonly ContextName[];
  /** The types of events that are consumed. */
  readonly types: readonly string[];
  /** Hands a command to the next set. Rejects with `Overloaded` where too many wait already. */
  submit(command: unknown): Promise<unknown>;
  /** Resolves once this context has consumed that partition of the source's log, the only one unless said, so far. */
  reached(source: ContextName, position: number, partition?: number): Promise<void>;
  wake(): void;
  /** How far the context is behind each source, where only the transport knows. */
  lag(): Promise<ReadonlyMap<ContextName, number> | undefined>;
  start(): Promise<void>;
  /** Finishes the set in hand and stops. */
  stop(): Promise<void>;
};

/** Too many commands wait already: the caller should try again later. */
export class Overloaded extends Error {}

/**
 * The one loop of a context: whatever events and commands have come while the last set was committing are the next set.
 * Effects, cursors and new events commit together, so that each event takes effect exactly once. An event that cannot
 * be handled is found by halving the set, and parks its subject; everything else flows.
 */
export function openReactor(options: ReactorOptions): Reactor {
  const { context, db, log, transport, reactions, intake, restMilliseconds = 0, onError } = options;
  const batchEventsMax = restMilliseconds > 0 ? RESTED_BATCH_EVENTS_MAX : BATCH_EVENTS_MAX;
  const wanted = wantedTypes(reactions);
  const standing = openStanding(context, db, transport.consumers);
  const bell = openBell();
  const waiting: Pending[] = [];
  let subscription: Subscription | undefined;
  let connection = 0;
  let stopping = false;
  let running: Promise<void> | undefined;
  /** The last look found something, wanted or not: there may be more behind it. */
  let hasLooked = false;
  /** The last set was a full one: the next is waiting already. */
  let isBehind = false;

  // A server that crashed may have lost the last commits of consumers, and given their positions to other events since.
  // Every connection breaks then: so what is in memory is forgotten with the connection, before the next one is used.
  db.onConnected(() => {
    connection += 1;
    standing.distrust();
    transport.distrust();
  });

  async function nextBatch(thorough: boolean): Promise<Batch> {
    const source = subscription;
    const consuming = source !== undefined && (await standing.learn(source.partitions()));
    const fetched = consuming ? await source.fetch(standing.positions, batchEventsMax, thorough) : [];
    isBehind = fetched.some((delivery) => isFull(delivery, transport, standing.positions, batchEventsMax));
    const remaining = fetched.map(standing.remaining).filter((delivery) => delivery !== undefined);
    // Most of what others say is of no interest here; a transaction for each of their commits was half of all.
    const deliveries = remaining.filter(({ events }) => events.length > 0);
    for (const delivery of remaining) if (delivery.events.length === 0) standing.passOver(delivery);
    if (consuming && (thorough || standing.isAwaited())) {
      const moving = new Set(deliveries.map((each) => cursorKey(each.source, each.partition)));
      const behind = standing.passedOver().filter((each) => !moving.has(cursorKey(each.source, each.partition)));
      deliveries.push(...behind);
    }
    hasLooked = remaining.length > 0;
    return { deliveries, commands: waiting.splice(0, BATCH_COMMANDS_MAX), connection };
  }

  /** One transaction: reactions, commands, cursors, new events. */
  async function commit({ deliveries, commands, connection: fetchedOn }: Batch, poison?: unknown): Promise<void> {
    const moves = standing.movesOf(deliveries);
    const outcomes = await db.withTx(
      async (tx) => {
        if (deliveries.length > 0 && connection !== fetchedOn)
          throw new Reconnected('The events are to be fetched anew');
        for (const events of await freeEvents(standing, tx, deliveries, poison))
          await runReactions(reactions, events, tx);
        return commands.length === 0 ? [] : take(commands, tx);
      },
      (query, said) => log.append(query, said, moves),
    );
    standing.moved(moves);
    subscription?.consumed?.(moves);
    if (poison !== undefined) standing.parked(deliveries);
    commands.forEach((pending, index) => pending.resolve(outcomes[index]));
    try {
      options.afterConsumed?.();
    } catch (error) {
      onError(`What was to follow a set of ${context} failed`, error);
    }
  }

  async function take(commands: readonly Pending[], tx: Tx): Promise<readonly unknown[]> {
    if (intake === undefined) throw new Error(`${context} takes no commands`);
    const outcomes = await intake.handle(
      commands.map((pending) => pending.command),
      tx,
    );
    if (outcomes.length !== commands.length) throw new Error(`${context} gave no outcome to some commands`);
    return outcomes;
  }

  /** Commits a set, halving it where it fails, down to the one event or command that cannot be handled. */
  async function process(batch: Batch): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await commit(batch);
      } catch (error) {
        if (isInterruption(error)) throw new Interrupted(batch.commands, error);
        const [first, second] = halves(batch);
        if (second !== undefined) return await processBoth(first, second);
        const [pending] = batch.commands;
        if (pending !== undefined) return pending.reject(error);
        if (attempts >= EVENT_ATTEMPTS_MAX) return await setAside(batch, error);
      }
    }
  }

  async function processBoth(first: Batch, second: Batch): Promise<void> {
    try {
      await process(first);
    } catch (error) {
      if (error instanceof Interrupted) throw new Interrupted([...error.commands, ...second.commands], error.cause);
      throw error;
    }
    await process(second);
  }

  async function setAside(batch: Batch, error: unknown): Promise<void> {
    try {
      await commit(batch, error);
    } catch (failure) {
      throw new Interrupted(batch.commands, failure);
    }
    const [event] = batch.deliveries.flatMap(({ events }) => events);
    const about = { eventId: event?.id, type: event?.type, traceId: traceIdOf(event?.traceparent) };
    onError(`An event for ${context} cannot be handled; its subject waits for an operator`, error, about);
  }

  async function turn(thorough: boolean): Promise<boolean> {
    const batch = await nextBatch(thorough);
    if (batch.deliveries.length === 0 && batch.commands.length === 0) return hasLooked;
    await process(batch);
    return true;
  }

  /** Lets more come together. A ring tells of what there is, of somebody who waits for it, or of the end. */
  async function rest(): Promise<void> {
    const until = performance.now() + restMilliseconds;
    while (!stopping && !isBehind && !standing.isAwaited() && performance.now() < until) {
      bell.silence();
      await bell.wait(until - performance.now());
    }
  }

  async function loop(): Promise<void> {
    let failures = 0;
    let thoroughAt = Number.NEGATIVE_INFINITY;
    while (!stopping) {
      try {
        bell.silence();
        // However busy this loop is: what nobody told it of is found by looking.
        const thorough = performance.now() - thoroughAt >= POLL_MILLISECONDS;
        if (thorough) thoroughAt = performance.now();
        const worked = await turn(thorough);
        failures = 0;
        if (worked && restMilliseconds > 0) await rest();
        if (worked || stopping) continue;
        const isOnlooker = subscription !== undefined && standing.isOnlooker();
        const onlooking = standing.isAwaited() ? AWAITED_LOOK_MILLISECONDS : LOCK_RETRY_MILLISECONDS;
        await bell.wait(isOnlooker ? onlooking : thoroughAt + POLL_MILLISECONDS - performance.now());
      } catch (error) {
        failures += 1;
        thoroughAt = Number.NEGATIVE_INFINITY;
        await recover(error, failures);
      }
    }
  }

  /** The set did not commit, or nobody knows whether it did: its commands go back to the front, all is read anew. */
  async function recover(error: unknown, failures: number): Promise<void> {
    if (error instanceof Interrupted) waiting.unshift(...error.commands);
    const cause = error instanceof Interrupted ? error.cause : error;
    standing.distrust();
    if (!isTakenOver(cause) && failures % REPORT_EVERY_FAILURES === 1)
      onError(`The loop of ${context} is interrupted and will go on`, cause);
    await wait(Math.min(RETRY_MILLISECONDS_MAX, 20 * 2 ** Math.min(failures, 7)));
  }

  return {
    context,
    sources: [...wanted.keys()],
    types: Object.keys(reactions),
    submit(command) {
      if (stopping || waiting.length >= COMMANDS_WAITING_MAX) return Promise.reject(new Overloaded('Too many wait'));
      return new Promise((resolve, reject) => {
        waiting.push({ command, resolve, reject });
        bell.ring();
      });
    },
    reached(source, position, partition = 0) {
      const reaching = standing.reached(source, position, partition);
      bell.ring();
      return reaching;
    },
    wake: bell.ring,
    lag: async () => subscription?.lag?.(),
    async start() {
      if (wanted.size > 0) subscription = await transport.subscribe({ context, wanted, query: db, wake: bell.ring });
      running = loop();
    },
    async stop() {
      stopping = true;
      bell.ring();
      await running;
      for (const pending of waiting.splice(0)) pending.reject(new Overloaded('The server is stopping'));
      await subscription?.close();
    },
  };
}

/** There may be as much again. Positions have gaps where a log comes in partitions. */
function isFull({ source, partition, events, upTo }: Delivery, { consumers }: Transport, from: Cursors, max: number) {
  if (consumers === 'shared') return events.length >= max / 2;
  return upTo - (from.get(cursorKey(source, partition)) ?? 0) >= max;
}

function wantedTypes(reactions: Reactions): ReadonlyMap<ContextName, ReadonlySet<string>> {
  const wanted = new Map<ContextName, Set<string>>();
  for (const type of Object.keys(reactions)) {
    const source = type.slice(0, type.indexOf('.')) as ContextName;
    wanted.set(source, (wanted.get(source) ?? new Set()).add(type));
  }
  return wanted;
}
