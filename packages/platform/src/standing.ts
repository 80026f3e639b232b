import type { ContextName } from '@provender/contracts';
import { type Database, statement } from './database.ts';
import type { CursorMove } from './event-log.ts';
import { blockedSubjects, type ParkedSubjects, subjectKey } from './parked-events.ts';
import { type Cursors, cursorKey, type Delivery } from './transport.ts';

type Partitions = readonly { readonly source: ContextName; readonly partition: number }[];
type CursorRow = { source: ContextName; partition: number; position: number; epoch: number };

const TRY_LOCK = statement(
  'reactor-try-lock',
  "SELECT pg_try_advisory_lock(hashtext('provender reactor'), hashtext($1)) AS held",
);
/** Wall time. A consumer looks at the logs every second, also while it fails. */
const CONSUMER_IDLE_SECONDS_MAX = 5;
const IDLE_LOOK_MILLISECONDS = 1_000;
const END_IDLE = statement('end-idle-consumer', 'SELECT end_idle_consumer($1) AS ended');
const LOAD_CURSORS = statement('load-cursors', 'SELECT source, partition, position, epoch FROM cursors');
const ADD_CURSORS = statement(
  'add-cursors',
  `INSERT INTO cursors (source, partition, position) SELECT source, partition, 0
   FROM unnest($1::text[], $2::integer[]) AS wanted (source, partition) ON CONFLICT DO NOTHING`,
);

/** Where the consumer of a context stands in the logs of others, as this process believes and the database knows. */
export type Standing = {
  /** How far this process has looked. The cursors in the database may be behind, by events that nobody here wants. */
  readonly positions: Cursors;
  /** Becomes the one consumer of the context and learns where it stands. Gives false while another process is it. */
  learn(partitions: Partitions): Promise<boolean>;
  isConsumer(): boolean;
  /** Nothing believed about the database holds any longer; it is learnt anew. */
  distrust(): void;
  /** What is not consumed yet of a delivery; whatever a transport delivers again is passed over. */
  remaining(delivery: Delivery): Delivery | undefined;
  /** There is nothing in it for this context: goes past it, without a transaction for that alone. */
  passOver(delivery: Delivery): void;
  /** Where the cursor in the database has stayed behind what was passed over. */
  passedOver(): Delivery[];
  /** The steps along the logs that consuming these takes. */
  movesOf(deliveries: readonly Delivery[]): CursorMove[];
  /** These steps have been committed. */
  moved(moves: readonly CursorMove[]): void;
  isParked(source: ContextName, subject: string): boolean;
  hasParked(): boolean;
  /** The subjects of these have been parked. */
  parked(deliveries: readonly Delivery[]): void;
  /** Resolves once the log of that source has been consumed up to that position, and the database knows it. */
  reached(source: ContextName, position: number): Promise<void>;
  /** Somebody waits for that: cursors that stayed behind are to be moved now. */
  isAwaited(): boolean;
};

/** `db` has one connection, whose lock makes this process the one consumer. */
export function openStanding(context: ContextName, db: Database): Standing {
  const positions = new Map<string, number>();
  const committed = new Map<string, CursorRow>();
  const waiters = new Set<{ source: ContextName; position: number; resolve: () => void }>();
  let parkedSubjects: ParkedSubjects = new Set();
  let holdsLock = false;
  let isKnown = false;
  let lookedForIdleAt = performance.now();

  /** Takes the lock where nobody has it, or has it without doing anything: a process that was paused keeps it. */
  async function tryLock(): Promise<boolean> {
    const [row] = await db.query<{ held: boolean }>(TRY_LOCK, [context]);
    if (row?.held === true) return true;
    if (performance.now() - lookedForIdleAt < IDLE_LOOK_MILLISECONDS) return false;
    lookedForIdleAt = performance.now();
    await db.query(END_IDLE, [CONSUMER_IDLE_SECONDS_MAX]);
    return false;
  }

  function place(row: CursorRow): void {
    const { source, partition, position } = row;
    committed.set(cursorKey(source, partition), row);
    positions.set(cursorKey(source, partition), position);
    for (const waiter of waiters) {
      if (waiter.source !== source || position < waiter.position) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  return {
    positions,
    isConsumer: () => holdsLock,
    async learn(partitions) {
      holdsLock ||= await tryLock();
      if (!holdsLock) {
        // Another process consumes. Whoever waits here for how far it has come finds that in the database.
        if (waiters.size > 0) for (const row of await db.query<CursorRow>(LOAD_CURSORS)) place(row);
        return false;
      }
      if (isKnown) return true;
      const wanted = [partitions.map((each) => each.source), partitions.map((each) => each.partition)];
      await db.withTx((tx) => tx.query(ADD_CURSORS, wanted));
      for (const row of await db.query<CursorRow>(LOAD_CURSORS)) place(row);
      parkedSubjects = await blockedSubjects(db);
      isKnown = true;
      return true;
    },
    distrust() {
      isKnown = false;
      holdsLock = false;
    },
    remaining(delivery) {
      const position = positions.get(cursorKey(delivery.source, delivery.partition)) ?? 0;
      if (delivery.upTo <= position) return undefined;
      const first = delivery.events[0];
      if (first === undefined || first.position > position) return delivery;
      return { ...delivery, events: delivery.events.filter((event) => event.position > position) };
    },
    passOver: ({ source, partition, upTo }) => void positions.set(cursorKey(source, partition), upTo),
    passedOver: () =>
      [...committed].flatMap(([key, { source, partition, position }]) => {
        const upTo = positions.get(key) ?? position;
        return upTo > position ? [{ source, partition, events: [], upTo }] : [];
      }),
    movesOf: (deliveries) =>
      deliveries.map(({ source, partition, upTo }) => {
        const { position = 0, epoch = 0 } = committed.get(cursorKey(source, partition)) ?? {};
        return { source, partition, before: position, after: upTo, epoch };
      }),
    moved(moves) {
      for (const { source, partition, after, epoch } of moves) place({ source, partition, position: after, epoch });
    },
    isParked: (source, subject) => parkedSubjects.has(subjectKey(source, subject)),
    hasParked: () => parkedSubjects.size > 0,
    parked(deliveries) {
      const subjects = deliveries.flatMap(({ events }) => events.map((each) => subjectKey(each.source, each.subject)));
      parkedSubjects = new Set([...parkedSubjects, ...subjects]);
    },
    isAwaited: () => waiters.size > 0,
    reached(source, position) {
      if ((committed.get(cursorKey(source, 0))?.position ?? -1) >= position) return Promise.resolve();
      return new Promise((resolve) => void waiters.add({ source, position, resolve }));
    },
  };
}
