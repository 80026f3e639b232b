import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Announcer } from './announcer.ts';
import type { Clock } from './clock.ts';
import { type Database, openDatabase, type Query, statement } from './database.ts';
import { type EventLog, eventLog } from './event-log.ts';
import { openFlush } from './flush.ts';
import { purgeAllIdempotencyKeys } from './http/idempotency.ts';
import type { Ids } from './ids.ts';
import { roleOf } from './migrate.ts';
import type { ContextModule, ContextPlatform, Log, OpenContext } from './module.ts';
import { openReactor, type Reactor } from './reactor.ts';
import type { Settings } from './settings.ts';
import { openTimers, type TimerLoop } from './timers.ts';
import type { Carried, Carrying, Transport } from './transport.ts';

/** What all contexts of one process share. */
export type SharedPlatform = {
  readonly databaseUrl: string;
  readonly transport: Transport;
  /** Hears of the commits of other processes on this database; the transport closes it. */
  readonly announcer?: Announcer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: Settings;
  readonly log: Log;
  readonly publicUrl: () => string;
  /**
   * True where all consumers of this log stand in the same PostgreSQL cluster: then loops need not wait for the disk,
   * and one wait before an answer covers the commits of all that led to it (docs/decisions/0030).
   */
  readonly oneCluster: boolean;
  /**
   * False where nobody outside is told of a commit before the next one: a crash of the machine may then undo the last
   * commits, of all contexts alike, and whoever drives the system does them again. True unless said.
   */
  readonly waitsForDisk?: boolean;
  /** Connections for requests and timers of one context. */
  readonly requestConnectionsMax?: number;
};

export type PartitionPosition = { readonly partition: number; readonly position: number };

export type RunningContext<Open extends OpenContext = OpenContext> = {
  readonly context: ContextName;
  readonly open: Open;
  readonly db: Database;
  readonly reactor: Reactor;
  readonly timers: TimerLoop;
  /** The last position of this context's log that this process knows of. */
  lastPosition(): number;
  /** The last events of these types that this process has written, by the partition in which consumers get them. */
  lastPositionsOf(types: readonly string[]): readonly PartitionPosition[];
  /** The head of this context's log, from the database. */
  head(): Promise<number>;
  /** How far this context's log has come within reach of its consumers. */
  carried(): Promise<Carried>;
  start(options: { readonly timers: boolean }): Promise<void>;
  stop(): Promise<void>;
};

const REQUEST_CONNECTIONS_MAX = 4;
const HEAD = statement('log-head', 'SELECT position FROM outbox_head');
const EXTEND_LOG = statement('extend-log', 'SELECT outbox_extend()');
const EXTEND_EVERY_EVENTS = 100_000;
const PURGE_EVERY_MILLISECONDS = 10 * 60 * 1_000;

/** Opens one context in this process: its databases, its loop, its timers. Nothing runs before `start`. */
export function openContext<Open extends OpenContext>(
  module: ContextModule<Open>,
  shared: SharedPlatform,
): RunningContext<Open> {
  const { context } = module;
  const log = eventLog(context, shared.clock, shared.ids);
  const { requestConnectionsMax = REQUEST_CONNECTIONS_MAX } = shared;
  const db = databaseOf(context, shared, log, 'requests', requestConnectionsMax, 'on');
  const platform: ContextPlatform = {
    db,
    clock: shared.clock,
    ids: shared.ids,
    settings: shared.settings,
    log: shared.log,
    publicUrl: shared.publicUrl,
    submit: (command) => reactor.submit(command),
    durable: shared.oneCluster && shared.waitsForDisk !== false ? openFlush(db) : async () => {},
  };
  const open = module.open(platform);
  const reactorDb = databaseOf(context, shared, log, 'loop', 1, shared.oneCluster ? 'off' : 'on');
  const onError = (message: string, error: unknown, about: object = {}) =>
    shared.log.error({ err: error, context, ...about }, message);
  const reactor = openReactor({
    context,
    db: reactorDb,
    log,
    transport: shared.transport,
    reactions: open.reactions ?? {},
    ...(open.intake === undefined ? {} : { intake: open.intake }),
    ...(open.afterConsumed === undefined ? {} : { afterConsumed: open.afterConsumed }),
    ...(open.restMilliseconds === undefined ? {} : { restMilliseconds: open.restMilliseconds }),
    onError,
  });
  const timers = openTimers({ db, jobs: open.jobs ?? {}, clock: shared.clock, onError });
  const said = openSaid((key) => shared.transport.partitionOf(context, key));
  const logRoom = openLogRoom(db, onError);

  function committed(events: readonly RecordedEvent[]): void {
    said.note(events);
    shared.transport.committed(context, events);
    try {
      open.afterCommit?.(events);
    } catch (error) {
      onError('What was to follow a commit failed', error);
    }
    logRoom.has(said.last());
  }

  const openRelayDb = () => databaseOf(context, shared, log, 'relay', 1, 'off');
  let carrying: Carrying | undefined;
  const purge = openPurge(db, onError);
  shared.announcer?.onHeard((source) => {
    if (source === context) open.afterOthersCommit?.();
  });
  db.onCommitted(committed);
  reactorDb.onCommitted(committed);
  return {
    context,
    open,
    db,
    reactor,
    timers,
    lastPosition: said.last,
    lastPositionsOf: said.lastOf,
    head: () => headOf(db),
    carried: () => (carrying === undefined ? allCarried(db) : carrying.carried(db)),
    async start(options) {
      said.beginAt(await headOf(db));
      await logRoom.make(said.last());
      if (open.prepare !== undefined) await db.withTx(open.prepare);
      carrying = shared.transport.carry?.({ context, open: openRelayDb });
      await reactor.start();
      purge.start();
      if (options.timers) timers.start();
    },
    async stop() {
      purge.stop();
      await timers.stop();
      await reactor.stop();
      await open.close?.();
      await carrying?.close();
      await reactorDb.close();
      await db.close();
    },
  };
}

/** How far a context has come with what it says, as this process knows it. */
function openSaid(partitionOf: (key: string) => number | undefined) {
  let last = 0;
  /** Of each type the last position in each partition. */
  const lastOfType = new Map<string, Map<number, number>>();

  function noteOne({ type, key, position }: RecordedEvent): void {
    const partition = partitionOf(key);
    if (partition === undefined) return;
    let positions = lastOfType.get(type);
    if (positions === undefined) {
      positions = new Map();
      lastOfType.set(type, positions);
    }
    positions.set(partition, Math.max(positions.get(partition) ?? 0, position));
  }

  return {
    beginAt(position: number) {
      last = position;
    },
    note(events: readonly RecordedEvent[]) {
      last = Math.max(last, events.at(-1)?.position ?? 0);
      for (const event of events) noteOne(event);
    },
    last: () => last,
    lastOf(types: readonly string[]): PartitionPosition[] {
      const furthest = new Map<number, number>();
      for (const type of types)
        for (const [partition, position] of lastOfType.get(type) ?? [])
          furthest.set(partition, Math.max(furthest.get(partition) ?? 0, position));
      return [...furthest].map(([partition, position]) => ({ partition, position }));
    },
  };
}

/** Purges kept answers now and then. A failure is met again ten minutes later; they do no harm meanwhile. */
function openPurge(db: Database, onError: (message: string, error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  async function purge(): Promise<void> {
    await purgeAllIdempotencyKeys(db).catch((error: unknown) => onError('Kept answers could not be purged', error));
  }
  return {
    start() {
      timer = setInterval(() => void purge(), PURGE_EVERY_MILLISECONDS).unref();
    },
    stop: () => clearInterval(timer),
  };
}

type LogRoom = { make(head: number): Promise<void>; has(head: number): void };

/** Keeps a partition ready ahead of the head; a failure is met again 100,000 events later, with 900,000 to spare. */
function openLogRoom(db: Database, onError: (message: string, error: unknown) => void): LogRoom {
  let madeAt = 0;
  const make = async (head: number) => {
    madeAt = head;
    await db
      .withTx((tx) => tx.query(EXTEND_LOG))
      .catch((error: unknown) => onError('The log could not be extended', error));
  };
  return {
    make,
    has(head) {
      if (head - madeAt > EXTEND_EVERY_EVENTS) void make(head);
    },
  };
}

/** Consumers read the log itself. */
async function allCarried(query: Query): Promise<Carried> {
  const position = await headOf(query);
  return { position, ends: [{ partition: 0, position }] };
}

async function headOf(query: Query): Promise<number> {
  const [row] = await query.query<{ position: number }>(HEAD);
  return row?.position ?? 0;
}

function databaseOf(
  context: ContextName,
  shared: SharedPlatform,
  log: EventLog,
  purpose: string,
  connectionsMax: number,
  synchronousCommit: 'on' | 'off',
): Database {
  return openDatabase({
    url: shared.databaseUrl,
    role: roleOf(context),
    schema: context,
    connectionsMax,
    applicationName: `provender ${context} ${purpose}`,
    synchronousCommit: shared.waitsForDisk === false ? 'off' : synchronousCommit,
    ...(purpose === 'loop' ? { planMode: 'generic' } : {}),
    seal: (query, said) => log.append(query, said),
  });
}

const SETTLE_DEPTH = 3;
const SETTLE_MILLISECONDS_MAX = 2_000;

/**
 * Waits until the contexts of this process have consumed what `source` has said so far, and what they said to that,
 * three steps deep and two seconds at most: so the answer to a write comes when the next step can build on it.
 */
export async function settled(contexts: ReadonlyMap<ContextName, RunningContext>, source: ContextName): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SETTLE_MILLISECONDS_MAX);
  });
  await Promise.race([settleFrom(contexts, source, SETTLE_DEPTH), tooLong]);
  clearTimeout(timer);
}

async function settleFrom(
  contexts: ReadonlyMap<ContextName, RunningContext>,
  source: ContextName,
  depth: number,
): Promise<void> {
  const said = contexts.get(source);
  if (said === undefined || depth === 0) return;
  const consumers = [...contexts.values()].filter(({ reactor }) => reactor.sources.includes(source));
  await Promise.all(
    consumers.map(async (consumer) => {
      // Nobody waits for what the consumer passes over: it may be in another process, and in no hurry to say so.
      const targets = said.lastPositionsOf(consumer.reactor.types);
      if (targets.length === 0) return;
      await reachedAll(consumer, source, targets);
      await settleFrom(contexts, consumer.context, depth - 1);
    }),
  );
}

async function reachedAll(
  { reactor }: RunningContext,
  source: ContextName,
  targets: readonly PartitionPosition[],
): Promise<void> {
  await Promise.all(targets.map(({ partition, position }) => reactor.reached(source, position, partition)));
}

const CARRIED_LOOK_MILLISECONDS = 5;

/**
 * Waits until every context given has consumed all there is, of every log, and has sent what came of it, and nothing
 * new came of that.
 */
export async function idle(contexts: ReadonlyMap<ContextName, RunningContext>): Promise<void> {
  const all = [...contexts.values()];
  for (let before = ''; ; ) {
    const heads = await Promise.all(all.map((each) => each.head()));
    const now = heads.join(' ');
    if (now === before) return;
    before = now;
    for (const [index, said] of all.entries()) {
      const ends = await carriedUpTo(said, heads[index] ?? 0);
      const consumers = all.filter(({ reactor }) => reactor.sources.includes(said.context));
      for (const consumer of consumers) await reachedAll(consumer, said.context, ends);
    }
    for (const { open } of all) await open.sent?.();
  }
}

/** Waits until a log is within reach of its consumers up to there. */
async function carriedUpTo(said: RunningContext, head: number): Promise<readonly PartitionPosition[]> {
  for (;;) {
    const { position, ends } = await said.carried();
    if (position >= head) return ends.filter((end) => end.position > 0);
    await wait(CARRIED_LOOK_MILLISECONDS);
  }
}
