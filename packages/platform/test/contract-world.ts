import { CONTEXT_NAMES, type ContextName, type RecordedEvent, type Said } from '@provender/contracts';
import pg from 'pg';
import {
  type Database,
  eventLog,
  manualClock,
  migrate,
  openDatabase,
  openReactor,
  type Reactions,
  type Reactor,
  randomIds,
  roleOf,
  type Transport,
} from '../src/index.ts';
import { createTestDatabase, ensureTemplate, TEST_NOON } from '../src/testing/index.ts';
import { greetings } from './greetings.ts';
import { toyModule } from './toy-context.ts';

/** Where a transport is to work, as one of several processes. */
export type TransportPlace = {
  readonly url: string;
  readonly superuserUrl: string;
  readonly processId: string;
  /** Whether it may hear what other processes announce; the poll must find all without it. */
  readonly listens: boolean;
  /** Whether it believes to be the only consumer of its context, whatever others do. */
  readonly believes: boolean;
};
export type MakeTransport = (place: TransportPlace) => Transport;

export type Consuming = {
  readonly reactor: Reactor;
  readonly db: Database;
  stop(): Promise<void>;
};

export type ConsumeOptions = {
  readonly meet?: (event: RecordedEvent) => void | Promise<void>;
  /** Puts something between the loop and its database. */
  readonly wrap?: (db: Database) => Database;
  readonly synchronousCommit?: 'on' | 'off';
};

/** One process: its own transport and connections. */
export type Process = {
  readonly id: string;
  readonly transport: Transport;
  /** Says events in one transaction of `identity`, after `before` has run in it. */
  say(events: readonly Said[], before?: () => Promise<void>): Promise<void>;
  /** Starts the loop of `catalog`, which leaves a greeting and an event for each person that registers. */
  consume(options?: ConsumeOptions): Promise<Consuming>;
  close(): Promise<void>;
};

export type ProcessOptions = Partial<Pick<TransportPlace, 'listens' | 'believes'>> & {
  /** Whether it carries the log, where logs are carried; unless said it does. */
  readonly carries?: boolean;
};

export type World = {
  readonly url: string;
  readonly superuserUrl: string;
  readonly errors: unknown[];
  readonly db: Database;
  readonly reactions: Reactions;
  process(options?: ProcessOptions): Process;
  /** Says events as a process that carries nothing and tells nobody. */
  speak(events: readonly Said[]): Promise<void>;
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Subjects greeted, in the order of their commits. */
  greeted(): Promise<string[]>;
  /** Subjects of what `catalog` has said, in the order of the log. */
  answered(): Promise<string[]>;
  cursor(): Promise<number>;
  head(context: ContextName): Promise<number>;
  /** Ends the connections of the consumers of `catalog`, as a crash of the server would. */
  killConsumers(): Promise<void>;
  close(): Promise<void>;
};

const TEMPLATE = 'template_platform_contract';

async function makeTemplate(url: string): Promise<void> {
  const nothing = new URL('../src/testing/no-migrations/', import.meta.url);
  await migrate(
    url,
    CONTEXT_NAMES.map((context) => ({ context, migrations: context === 'catalog' ? toyModule().migrations : nothing })),
  );
}

/** Thinks that it holds the lock, whoever does. */
function believing(db: Database): Database {
  return {
    ...db,
    query: (statement, values) =>
      statement.name === 'reactor-try-lock'
        ? // The one row that this statement gives where it succeeds.
          Promise.resolve([{ held: true }] as never)
        : db.query(statement, values),
  };
}

/** A database of its own with the logs of all contexts, and as many processes on it as a test wants. */
export async function openWorld(makeTransport: MakeTransport): Promise<World> {
  await ensureTemplate(TEMPLATE, makeTemplate);
  const database = await createTestDatabase({ template: TEMPLATE });
  const admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  const clock = manualClock(TEST_NOON);
  const ids = randomIds();
  const errors: unknown[] = [];
  const closing: (() => Promise<void>)[] = [];
  let processes = 0;
  let lone: Database | undefined;

  function databaseOf(context: ContextName, purpose: string, options: ConsumeOptions, connectionsMax = 1): Database {
    const log = eventLog(context, clock, ids);
    const db = openDatabase({
      url: database.url,
      role: roleOf(context),
      schema: context,
      connectionsMax,
      applicationName: `${context} ${purpose}`,
      seal: (query, said) => log.append(query, said),
      ...(options.synchronousCommit === undefined ? {} : { synchronousCommit: options.synchronousCommit }),
    });
    closing.unshift(() => db.close());
    return db;
  }

  function openProcess({ listens = true, believes = false, carries = true }: ProcessOptions = {}): Process {
    processes += 1;
    const id = `process-${processes}`;
    const transport = makeTransport({
      url: database.url,
      superuserUrl: database.superuserUrl,
      processId: id,
      listens,
      believes,
    });
    const openRelayDb = () => databaseOf('identity', 'relay', {});
    const carrying = carries ? transport.carry?.({ context: 'identity', open: openRelayDb }) : undefined;
    const speaker = databaseOf('identity', `of ${id}`, {}, 20);
    speaker.onCommitted((events) => transport.committed('identity', events));
    const consuming: Consuming[] = [];
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      for (const each of consuming) await each.stop();
      await carrying?.close();
      await speaker.close();
      await transport.close();
    };
    closing.unshift(close);
    return {
      id,
      transport,
      say: (events, before) =>
        speaker.withTx(async (tx) => {
          await before?.();
          tx.append(events);
        }),
      async consume(options = {}) {
        const real = databaseOf('catalog', 'loop', options);
        real.onCommitted((events) => transport.committed('catalog', events));
        const wrapped = options.wrap?.(real) ?? real;
        const db = believes ? believing(wrapped) : wrapped;
        const reactor = openReactor({
          context: 'catalog',
          db,
          log: eventLog('catalog', clock, ids),
          transport,
          reactions: greetings(options.meet),
          onError: (_message, error) => errors.push(error),
        });
        await reactor.start();
        let stopped: Promise<void> | undefined;
        const stop = () => (stopped ??= reactor.stop().then(() => real.close()));
        const each = { reactor, db, stop };
        consuming.push(each);
        return each;
      },
      close,
    };
  }

  async function sql<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await admin.query(text, values as unknown[])).rows;
  }

  async function subjects(text: string): Promise<string[]> {
    return (await sql<{ subject: string }>(text)).map((row) => row.subject);
  }

  async function number(text: string): Promise<number> {
    const [row] = await sql<{ position: string }>(text);
    return Number(row?.position ?? 0);
  }

  return {
    url: database.url,
    superuserUrl: database.superuserUrl,
    errors,
    db: databaseOf('catalog', 'operator', {}),
    reactions: greetings(),
    process: openProcess,
    speak: (events) => {
      lone ??= databaseOf('identity', 'lone', {});
      return lone.withTx(async (tx) => tx.append(events));
    },
    sql,
    greeted: () => subjects('SELECT subject FROM catalog.greetings ORDER BY ordinal'),
    answered: () => subjects('SELECT subject FROM catalog.outbox ORDER BY position'),
    cursor: () => number("SELECT position FROM catalog.cursors WHERE source = 'identity'"),
    head: (context) => number(`SELECT position FROM ${context}.outbox_head`),
    async killConsumers() {
      await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'catalog loop' AND datname = current_database()`);
    },
    async close() {
      for (const close of closing) await close();
      await admin.end();
      await database.drop();
    },
  };
}
