import type { ContextName } from '@provender/contracts';
import { type Database, statement } from './database.ts';
import type { CursorMove } from './event-log.ts';
import { blockedSubjects, type ParkedSubjects, subjectKey } from './parked-events.ts';
import { type Cursors, cursorKey, type Delivery, type SourcePartition, type Transport } from './transport.ts';

type Partitions = readonly SourcePartition[];
type CursorRow = { source: ContextName; partition: number; position: number; epoch: number };

const TRY_LOCK = statement(
  'reactor-try-lock',
  "SELECT pg_try_advisory_lock(hashtext('provender reactor'), hashtext($1)) AS held",
);
/** Wall time. A consumer looks at the logs every second, also while it fails. */
const CONSUMER_IDLE_SECONDS_MAX = 5;
const IDLE_LOOK_MILLISECONDS = 1_000;
const END_IDLE = statement('end-idle-consumer', 'SELECT end_idle_consumer($1) AS ended');
/** A process that was given up by its group may be paused in a transaction, with rows locked that others need. */
const STUCK_SECONDS_MAX = 1;
const END_STUCK = statement('end-stuck-transactions', 'SELECT end_stuck_transactions($1) AS ended');
const LOAD_CURSORS = statement('load-cursors', 'SELECT source, partition, position, epoch FROM cursors');
const ADD_CURSORS = statement(
  'add-cursors',
  // All partitions of a source at once. Where a log was consumed whole before, they begin where that has left off.
  `INSERT INTO cursors (source, partition, position)
   SELECT source, partition, coalesce((SELECT position FROM cursors WHERE source = wanted.source), 0)
   FROM unnest($1::text[], $2::integer[]) AS wanted (source, partitions),
     generate_series(0, partitions - 1) AS partition
   WHERE (SELECT count(*) FROM cursors WHERE source = wanted.source) < 2 ON CONFLICT DO NOTHING`,
);

/** Where the consumer of a context stands in the logs of others, as this process believes and the database knows. */
export type Standing = {
  /** How far this process has looked. The cursors in the database may be behind, by events that nobody here wants. */
  readonly positions: Cursors;
  /** Becomes a consumer of these partitions and learns where it stands. Gives false while another process is it. */
  learn(partitions: Partitions): Promise<boolean>;
  /**
   * Another process consumes, of all that there is or of what somebody waits for here: it is looked at now and then.
   */
  isOnlooker(): boolean;
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
  /** Resolves once that partition has been consumed up to that position, and the database knows it. */
  reached(source: ContextName, position: number, partition: number): Promise<void>;
  /** Somebody waits for that: cursors that stayed behind are to be moved now. */
  isAwaited(): boolean;
};

/**
 * `db` has one connection, whose lock makes this process the one consumer, unless processes share the partitions: then
 * the transport says which are this one's, and the cursors refuse whoever believes so for too long.
 */
export function openStanding(context: ContextName, db: Database, consumers: Transport['consumers']): Standing {
  const positions = new Map<string, number>();
  const committed = new Map<string, CursorRow>();
  const waiters = new Set<{ source: ContextName; partition: number; position: number; resolve: () => void }>();
  let parkedSubjects: ParkedSubjects = new Set();
  let holdsLock = false;
  /** What this process knows where it stands in. */
  let known: Partitions | undefined;
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
    if (waiters.size > 0) tell(row);
  }

  function tell({ source, partition, position }: CursorRow): void {
    for (const waiter of waiters) {
      if (waiter.source !== source || waiter.partition !== partition || position < waiter.position) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  async function learnOf(partitions: Partitions): Promise<void> {
    positions.clear();
    committed.clear();
    known = undefined;
    if (partitions.length > 0) await load(partitions);
    known = partitions;
  }

  async function load(partitions: Partitions): Promise<void> {
    if (consumers === 'shared') await db.query(END_STUCK, [STUCK_SECONDS_MAX]);
    const counts = new Map(partitions.map(({ source, of }) => [source, of]));
    await db.withTx((tx) => tx.query(ADD_CURSORS, [[...counts.keys()], [...counts.values()]]));
    const rows = await db.query<CursorRow>(LOAD_CURSORS);
    for (const [source, count] of counts) {
      const found = rows.filter((row) => row.source === source).length;
      if (found !== count) throw new Error(repartitioned(context, source, found, count));
    }
    const own = new Set(partitions.map(({ source, partition }) => cursorKey(source, partition)));
    for (const row of rows) if (own.has(cursorKey(row.source, row.partition))) place(row);
    parkedSubjects = await blockedSubjects(db);
  }

  function hasForeignWaiters(): boolean {
    return [...waiters].some(({ source, partition }) => !committed.has(cursorKey(source, partition)));
  }

  return {
    positions,
    isOnlooker: () => (consumers === 'one' ? !holdsLock : hasForeignWaiters()),
    async learn(partitions) {
      if (consumers === 'one') holdsLock ||= await tryLock();
      const isConsumer = consumers === 'shared' || holdsLock;
      if (isConsumer && known !== partitions) await learnOf(partitions);
      // Whoever waits here for how far another process has come finds that in the database.
      if (waiters.size > 0 && (!isConsumer || hasForeignWaiters()))
        for (const row of await db.query<CursorRow>(LOAD_CURSORS)) tell(row);
      return isConsumer;
    },
    distrust() {
      known = undefined;
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
    reached(source, position, partition) {
      if ((committed.get(cursorKey(source, partition))?.position ?? -1) >= position) return Promise.resolve();
      return new Promise((resolve) => void waiters.add({ source, partition, position, resolve }));
    },
  };
}

function repartitioned(context: ContextName, source: ContextName, found: number, count: number): string {
  return (
    `${context} has consumed the log of ${source} in ${found} partitions, and it comes in ${count} now: ` +
    'its order would be lost (docs/how-to/operate.md)'
  );
}
