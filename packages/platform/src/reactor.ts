import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName, RecordedEvent } from '@provender/contracts';
import { type Database, statement, type Tx } from './database.ts';
import { errorCode, isUnavailable } from './database-errors.ts';
import { type CursorMove, type EventLog, STALE_CURSOR_CODE } from './event-log.ts';
import { blockedSubjects, parkEvents, type ParkedSubjects, subjectKey } from './parked-events.ts';
import { type Reactions, runReactions } from './reactions.ts';
import { cursorKey, type Delivery, type Subscription, type Transport } from './transport.ts';

/** Events of one partition, and commands, that one transaction carries: 50 give most of the gain, 200 all of it. */
export const BATCH_EVENTS_MAX = 200;
export const BATCH_COMMANDS_MAX = 200;
/** Commands that may wait for their turn; more are refused as overload. */
const COMMANDS_WAITING_MAX = 5_000;
const POLL_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS_MAX = 2_000;
const EVENT_ATTEMPTS_MAX = 3;
const LOCK_RETRY_MILLISECONDS = 100;

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
  /** Told after each commit of a set. */
  readonly afterConsumed?: () => void;
  readonly onError: (message: string, error: unknown) => void;
};

export type Reactor = {
  readonly context: ContextName;
  readonly sources: readonly ContextName[];
  /** Hands a command to the next set. Rejects with `Overloaded` where too many wait already. */
  submit(command: unknown): Promise<unknown>;
  /** Resolves once this context has consumed the source's log up to that position. */
  reached(source: ContextName, position: number): Promise<void>;
  wake(): void;
  start(): Promise<void>;
  /** Finishes the set in hand and stops. */
  stop(): Promise<void>;
};

/** Too many commands wait already: the caller should try again later. */
export class Overloaded extends Error {}

type Pending = {
  readonly command: unknown;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
};
type Batch = {
  readonly deliveries: readonly Delivery[];
  readonly commands: readonly Pending[];
  /** The connection on which the deliveries were fetched: what it was told may be untrue on another one. */
  readonly connection: number;
};
type Cursor = { position: number; epoch: number };

const TRY_LOCK = statement(
  'reactor-try-lock',
  "SELECT pg_try_advisory_lock(hashtext('provender reactor'), hashtext($1)) AS held",
);
const LOAD_CURSORS = statement('load-cursors', 'SELECT source, partition, position, epoch FROM cursors');
const ADD_CURSORS = statement(
  'add-cursors',
  `INSERT INTO cursors (source, partition, position) SELECT source, partition, 0
   FROM unnest($1::text[], $2::integer[]) AS wanted (source, partition) ON CONFLICT DO NOTHING`,
);

/**
 * The one loop of a context: whatever events and commands have come while the last set was committing are the next set.
 * Effects, cursors and new events commit together, so that each event takes effect exactly once. An event that cannot
 * be handled is found by halving the set, and parks its subject; everything else flows.
 */
export function openReactor(options: ReactorOptions): Reactor {
  const { context, db, log, transport, reactions, intake, onError } = options;
  const wanted = wantedTypes(reactions);
  const cursors = new Map<string, Cursor>();
  const positions = new Map<string, number>();
  const waiting: Pending[] = [];
  const reachWaiters = new Set<{ source: ContextName; position: number; resolve: () => void }>();
  let parked: ParkedSubjects = new Set();
  let subscription: Subscription | undefined;
  let holdsLock = wanted.size === 0;
  let known = false;
  let connection = 0;
  let stopping = false;
  let running: Promise<void> | undefined;
  let signal = Promise.withResolvers<void>();
  let signalled = false;

  function wake(): void {
    signalled = true;
    signal.resolve();
  }

  // A server that crashed may have lost the last commits of consumers, and given their positions to other events since.
  // Every connection breaks then: so what is in memory is forgotten with the connection, before the next one is used.
  db.onConnected(() => {
    connection += 1;
    distrust();
    transport.distrust();
  });

  /** Nothing believed about the database holds any longer; the next turn reads it anew. */
  function distrust(): void {
    known = false;
    holdsLock = wanted.size === 0;
  }

  /** Becomes the one consumer of this context and learns where it stands. Gives false while another process is it. */
  async function learn(): Promise<boolean> {
    if (!holdsLock) {
      const [row] = await db.query<{ held: boolean }>(TRY_LOCK, [context]);
      holdsLock = row?.held === true;
    }
    if (!holdsLock || known) return holdsLock;
    const partitions = subscription?.partitions() ?? [];
    const wantedCursors = [partitions.map((each) => each.source), partitions.map((each) => each.partition)];
    await db.withTx((tx) => tx.query(ADD_CURSORS, wantedCursors));
    type Row = { source: ContextName; partition: number; position: number; epoch: number };
    for (const row of await db.query<Row>(LOAD_CURSORS)) {
      moveCursor(row.source, row.partition, row.position, row.epoch);
    }
    parked = await blockedSubjects(db);
    known = true;
    return true;
  }

  function moveCursor(source: ContextName, partition: number, position: number, epoch: number): void {
    cursors.set(cursorKey(source, partition), { position, epoch });
    positions.set(cursorKey(source, partition), position);
    for (const waiter of reachWaiters) {
      if (waiter.source !== source || position < waiter.position) continue;
      reachWaiters.delete(waiter);
      waiter.resolve();
    }
  }

  async function nextBatch(thorough: boolean): Promise<Batch> {
    const consuming = wanted.size > 0 && (await learn());
    const fetched = consuming ? ((await subscription?.fetch(positions, BATCH_EVENTS_MAX, thorough)) ?? []) : [];
    const deliveries = fetched.map(notYetConsumed).filter((delivery) => delivery !== undefined);
    return { deliveries, commands: waiting.splice(0, BATCH_COMMANDS_MAX), connection };
  }

  /** Whatever a transport delivers again is passed over. */
  function notYetConsumed(delivery: Delivery): Delivery | undefined {
    const position = positions.get(cursorKey(delivery.source, delivery.partition)) ?? 0;
    if (delivery.upTo <= position) return undefined;
    const first = delivery.events[0];
    if (first === undefined || first.position > position) return delivery;
    return { ...delivery, events: delivery.events.filter((event) => event.position > position) };
  }

  function movesOf(deliveries: readonly Delivery[]): CursorMove[] {
    return deliveries.map(({ source, partition, upTo }) => {
      const cursor = cursors.get(cursorKey(source, partition)) ?? { position: 0, epoch: 0 };
      return { source, partition, before: cursor.position, after: upTo, epoch: cursor.epoch };
    });
  }

  /** One transaction: reactions, commands, cursors, new events. */
  async function commit({ deliveries, commands, connection: fetchedOn }: Batch, poison?: unknown): Promise<void> {
    const moves = movesOf(deliveries);
    const outcomes = await db.withTx(
      async (tx) => {
        if (deliveries.length > 0 && connection !== fetchedOn)
          throw new Reconnected('The events are to be fetched anew');
        for (const delivery of deliveries) {
          const free = poison === undefined ? await parkBlocked(tx, delivery) : await park(tx, delivery, poison);
          if (free.length > 0) await runReactions(reactions, free, tx);
        }
        return commands.length === 0 ? [] : take(commands, tx);
      },
      (query, said) => log.append(query, said, moves),
    );
    for (const move of moves) moveCursor(move.source, move.partition, move.after, move.epoch);
    if (poison !== undefined) parked = new Set([...parked, ...deliveries.flatMap(subjectsOf)]);
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

  /** Events whose subject waits behind a parked one join it there; gives the others. */
  async function parkBlocked(tx: Tx, delivery: Delivery): Promise<readonly RecordedEvent[]> {
    if (parked.size === 0) return delivery.events;
    const blocked = delivery.events.filter((event) => parked.has(subjectKey(event.source, event.subject)));
    if (blocked.length === 0) return delivery.events;
    await parkEvents(tx, delivery.partition, blocked, null);
    return delivery.events.filter((event) => !blocked.includes(event));
  }

  async function park(tx: Tx, delivery: Delivery, error: unknown): Promise<readonly RecordedEvent[]> {
    await parkEvents(tx, delivery.partition, delivery.events, error);
    return [];
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
    onError(`An event for ${context} cannot be handled; its subject waits for an operator`, error);
  }

  async function turn(thorough: boolean): Promise<boolean> {
    const batch = await nextBatch(thorough);
    if (batch.deliveries.length === 0 && batch.commands.length === 0) return false;
    await process(batch);
    return true;
  }

  async function loop(): Promise<void> {
    let failures = 0;
    let thoroughAt = Number.NEGATIVE_INFINITY;
    while (!stopping) {
      try {
        signalled = false;
        signal = Promise.withResolvers();
        // However busy this loop is: what nobody told it of is found by looking.
        const thorough = performance.now() - thoroughAt >= POLL_MILLISECONDS;
        if (thorough) thoroughAt = performance.now();
        const worked = await turn(thorough);
        failures = 0;
        if (worked || stopping || signalled) continue;
        await pauseFor(holdsLock ? thoroughAt + POLL_MILLISECONDS - performance.now() : LOCK_RETRY_MILLISECONDS);
      } catch (error) {
        failures += 1;
        thoroughAt = Number.NEGATIVE_INFINITY;
        await recover(error, failures);
      }
    }
  }

  /** Sleeps until woken, or so long. */
  async function pauseFor(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(1, Math.ceil(milliseconds)));
    });
    await Promise.race([slept, signal.promise]);
    clearTimeout(timer);
  }

  /** The set did not commit, or nobody knows whether it did: its commands go back to the front, all is read anew. */
  async function recover(error: unknown, failures: number): Promise<void> {
    if (error instanceof Interrupted) waiting.unshift(...error.commands);
    const cause = error instanceof Interrupted ? error.cause : error;
    distrust();
    const isExpected = errorCode(cause) === STALE_CURSOR_CODE || cause instanceof Reconnected;
    if (!isExpected && failures === 1) onError(`The loop of ${context} is interrupted and will go on`, cause);
    await wait(Math.min(RETRY_MILLISECONDS_MAX, 20 * 2 ** Math.min(failures, 7)));
  }

  return {
    context,
    sources: [...wanted.keys()],
    submit(command) {
      if (stopping || waiting.length >= COMMANDS_WAITING_MAX) return Promise.reject(new Overloaded('Too many wait'));
      return new Promise((resolve, reject) => {
        waiting.push({ command, resolve, reject });
        wake();
      });
    },
    reached(source, position) {
      const cursor = cursors.get(cursorKey(source, 0));
      if (cursor !== undefined && cursor.position >= position) return Promise.resolve();
      return new Promise((resolve) => void reachWaiters.add({ source, position, resolve }));
    },
    wake,
    async start() {
      if (wanted.size > 0) subscription = await transport.subscribe({ context, wanted, query: db, wake });
      running = loop();
    },
    async stop() {
      stopping = true;
      wake();
      await running;
      for (const pending of waiting.splice(0)) pending.reject(new Overloaded('The server is stopping'));
      await subscription?.close();
    },
  };
}

/** The connection on which a set was fetched is gone. */
class Reconnected extends Error {}

/** Nothing is wrong with the set: the database is away, or somebody else is the consumer now. */
function isInterruption(error: unknown): boolean {
  return isUnavailable(error) || errorCode(error) === STALE_CURSOR_CODE || error instanceof Reconnected;
}

/** A set was cut off by the database or by another consumer; its commands have had no answer yet. */
class Interrupted extends Error {
  readonly commands: readonly Pending[];

  constructor(commands: readonly Pending[], cause: unknown) {
    super('The set was interrupted', { cause });
    this.commands = commands;
  }
}

function wantedTypes(reactions: Reactions): ReadonlyMap<ContextName, ReadonlySet<string>> {
  const wanted = new Map<ContextName, Set<string>>();
  for (const type of Object.keys(reactions)) {
    const source = type.slice(0, type.indexOf('.')) as ContextName;
    wanted.set(source, (wanted.get(source) ?? new Set()).add(type));
  }
  return wanted;
}

function subjectsOf(delivery: Delivery): string[] {
  return delivery.events.map((event) => subjectKey(event.source, event.subject));
}

/** Splits a set in two, in order; the second is undefined where there is only one thing in it. */
function halves(batch: Batch): [Batch, Batch | undefined] {
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
