import type { ContextName, RecordedEvent } from '@provender/contracts';
import type { Announcer } from './announcer.ts';
import type { Clock } from './clock.ts';
import { type Database, openDatabase, type Query, statement } from './database.ts';
import { type EventLog, eventLog } from './event-log.ts';
import { purgeAllIdempotencyKeys } from './http/idempotency.ts';
import type { Ids } from './ids.ts';
import { roleOf } from './migrate.ts';
import type { ContextModule, ContextPlatform, Log, OpenContext } from './module.ts';
import { openReactor, type Reactor } from './reactor.ts';
import type { Settings } from './settings.ts';
import { openTimers, type TimerLoop } from './timers.ts';
import type { Transport } from './transport.ts';

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
   * True where all consumers of this log stand in the same PostgreSQL cluster: then a later synchronous commit covers
   * the commits of pure consumers, and these need not wait for the disk (docs/decisions).
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

export type RunningContext<Open extends OpenContext = OpenContext> = {
  readonly context: ContextName;
  readonly open: Open;
  readonly db: Database;
  readonly reactor: Reactor;
  readonly timers: TimerLoop;
  /** The last position of this context's log that this process knows of. */
  lastPosition(): number;
  /** The last position at which this process has written an event of one of these types; 0 where it has not. */
  lastPositionOf(types: readonly string[]): number;
  /** The head of this context's log, from the database. */
  head(): Promise<number>;
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
  };
  const open = module.open(platform);
  const answers = open.intake !== undefined || !shared.oneCluster;
  const reactorDb = databaseOf(context, shared, log, 'loop', 1, answers ? 'on' : 'off');
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
  const said = openSaid();
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

  /** A failure is met again ten minutes later; kept answers do no harm meanwhile. */
  async function purgeKeys(): Promise<void> {
    await purgeAllIdempotencyKeys(db).catch((error: unknown) => onError('Kept answers could not be purged', error));
  }

  let purging: NodeJS.Timeout | undefined;
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
    lastPositionOf: said.lastOf,
    head: () => headOf(db),
    async start(options) {
      said.beginAt(await headOf(db));
      await logRoom.make(said.last());
      if (open.prepare !== undefined) await db.withTx(open.prepare);
      await reactor.start();
      purging = setInterval(() => void purgeKeys(), PURGE_EVERY_MILLISECONDS).unref();
      if (options.timers) timers.start();
    },
    async stop() {
      clearInterval(purging);
      await timers.stop();
      await reactor.stop();
      await open.close?.();
      await reactorDb.close();
      await db.close();
    },
  };
}

/** How far a context has come with what it says, as this process knows it. */
function openSaid() {
  let last = 0;
  const lastOfType = new Map<string, number>();
  return {
    beginAt(position: number) {
      last = position;
    },
    note(events: readonly RecordedEvent[]) {
      last = Math.max(last, events.at(-1)?.position ?? 0);
      for (const { type, position } of events) lastOfType.set(type, Math.max(lastOfType.get(type) ?? 0, position));
    },
    last: () => last,
    lastOf: (types: readonly string[]) => Math.max(0, ...types.map((type) => lastOfType.get(type) ?? 0)),
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
      const target = said.lastPositionOf(consumer.reactor.types);
      if (target === 0) return;
      await consumer.reactor.reached(source, target);
      await settleFrom(contexts, consumer.context, depth - 1);
    }),
  );
}

/** Waits until every context of this process has consumed all there is, of every log, and nothing new came of it. */
export async function idle(contexts: ReadonlyMap<ContextName, RunningContext>): Promise<void> {
  for (let before = ''; ; ) {
    const heads = await Promise.all([...contexts.values()].map(async (each) => ({ each, head: await each.head() })));
    const now = heads.map(({ head }) => head).join(' ');
    if (now === before) return;
    before = now;
    for (const { reactor } of contexts.values()) {
      for (const { each, head } of heads) {
        if (head > 0 && reactor.sources.includes(each.context)) await reactor.reached(each.context, head);
      }
    }
  }
}
