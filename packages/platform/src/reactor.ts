import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName, RecordedEvent } from '@provender/contracts';
import { type Database, errorCode, isUnavailable, statement, type Tx } from './database.ts';
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
type Batch = { readonly deliveries: readonly Delivery[]; readonly commands: readonly Pending[] };
type Cursor = { position: number; epoch: number };

const TRY_LOCK = statement('reactor-try-lock', "SELECT pg_try_advisory_lock(hashtext('provender reactor'), hashtext($1)) AS held");
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
  let stopping = false;
  let running: Promise<void> | undefined;
  let signal = Promise.withResolvers<void>();
  let signalled = false;

  function wake(): void {
    signalled = true;
    signal.resolve();
  }

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
    await db.query(ADD_CURSORS, [partitions.map((each) => each.source), partitions.map((each) => each.partition)]);
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
    const deliveries = consuming ? ((await subscription?.fetch(positions, BATCH_EVENTS_MAX, thorough)) ?? []) : [];
    return { deliveries, commands: waiting.splice(0, BATCH_COMMANDS_MAX) };
  }

  function movesOf(deliveries: readonly Delivery[]): CursorMove[] {
    return deliveries.map(({ source, partition, upTo }) => {
      const cursor = cursors.get(cursorKey(source, partition)) ?? { position: 0, epoch: 0 };
      return { source, partition, before: cursor.position, after: upTo, epoch: cursor.epoch };
    });
  }

  /** One transaction: reactions, commands, cursors, new events. */
  async function commit({ deliveries, commands }: Batch, poison?: unknown): Promise<void> {
    const moves = movesOf(deliveries);
    const outcomes = await db.withTx(
      async (tx) => {
        for (const delivery of deliveries) {
          const free = poison === undefined ? await parkBlocked(tx, delivery) : await park(tx, delivery, poison);
          if (free.length > 0) await runReactions(reactions, free, tx);
        }
        const answers = commands.map((pending) => pending.command);
        return intake === undefined || commands.length === 0 ? [] : intake.handle(answers, tx);
      },
      { seal: (query, said) => log.append(query, said, moves) },
    );
    for (const move of moves) moveCursor(move.source, move.partition, move.after, move.epoch);
    if (poison !== undefined) parked = new Set([...parked, ...deliveries.flatMap(subjectsOf)]);
    commands.forEach((pending, index) => pending.resolve(outcomes[index]));
    options.afterConsumed?.();
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
    onError(`An event of ${delivery.source} is parked`, error);
    return [];
  }

  /** Commits a set, halving it where it fails, down to the one event or command that cannot be handled. */
  async function process(batch: Batch, attempts = 1): Promise<void> {
    try {
      await commit(batch);
    } catch (error) {
      if (isUnavailable(error) || errorCode(error) === STALE_CURSOR_CODE) throw new Interrupted(batch.commands, error);
      const [first, second] = halves(batch);
      if (second !== undefined) {
        await process(first).catch((interruption: unknown) => {
          throw interruption instanceof Interrupted
            ? new Interrupted([...interruption.commands, ...second.commands], interruption.cause)
            : interruption;
        });
        await process(second);
        return;
      }
      await settlePoison(batch, error, attempts);
    }
  }

  async function settlePoison(batch: Batch, error: unknown, attempts: number): Promise<void> {
    const [pending] = batch.commands;
    if (pending !== undefined) {
      pending.reject(error);
      return;
    }
    if (attempts < EVENT_ATTEMPTS_MAX) return process(batch, attempts + 1);
    await commit(batch, error);
  }

  async function turn(thorough: boolean): Promise<boolean> {
    const batch = await nextBatch(thorough);
    if (batch.deliveries.length === 0 && batch.commands.length === 0) return false;
    await process(batch);
    return true;
  }

  async function loop(): Promise<void> {
    let failures = 0;
    let thorough = true;
    while (!stopping) {
      try {
        signalled = false;
        signal = Promise.withResolvers();
        const worked = await turn(thorough);
        failures = 0;
        thorough = false;
        if (worked || stopping) continue;
        const pause = holdsLock ? POLL_MILLISECONDS : LOCK_RETRY_MILLISECONDS;
        if (!signalled) thorough = await pauseFor(pause);
      } catch (error) {
        failures += 1;
        thorough = true;
        await recover(error, failures);
      }
    }
  }

  /** Sleeps until woken; true where nobody woke it in that time. */
  async function pauseFor(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), milliseconds);
    });
    const outcome = await Promise.race([slept, signal.promise.then(() => false)]);
    clearTimeout(timer);
    return outcome;
  }

  /** The set did not commit, or nobody knows whether it did: its commands go back to the front, all is read anew. */
  async function recover(error: unknown, failures: number): Promise<void> {
    if (error instanceof Interrupted) waiting.unshift(...error.commands);
    const cause = error instanceof Interrupted ? error.cause : error;
    distrust();
    if (errorCode(cause) !== STALE_CURSOR_CODE) {
      transport.distrust();
      if (failures === 1) onError(`The loop of ${context} is interrupted and will go on`, cause);
    }
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
      db.onBroken(() => transport.distrust());
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
function halves({ deliveries, commands }: Batch): [Batch, Batch | undefined] {
  const events = deliveries.reduce((sum, delivery) => sum + Math.max(1, delivery.events.length), 0);
  if (events + commands.length <= 1) return [{ deliveries, commands }, undefined];
  if (deliveries.length === 0) {
    const middle = Math.ceil(commands.length / 2);
    return [
      { deliveries, commands: commands.slice(0, middle) },
      { deliveries: [], commands: commands.slice(middle) },
    ];
  }
  if (commands.length > 0) return [{ deliveries, commands: [] }, { deliveries: [], commands }];
  if (deliveries.length > 1) {
    const middle = Math.ceil(deliveries.length / 2);
    return [
      { deliveries: deliveries.slice(0, middle), commands },
      { deliveries: deliveries.slice(middle), commands },
    ];
  }
  const [delivery] = deliveries as [Delivery];
  const middle = Math.ceil(delivery.events.length / 2);
  const head = delivery.events.slice(0, middle);
  return [
    { deliveries: [{ ...delivery, events: head, upTo: head.at(-1)?.position ?? delivery.upTo }], commands },
    { deliveries: [{ ...delivery, events: delivery.events.slice(middle) }], commands },
  ];
}
