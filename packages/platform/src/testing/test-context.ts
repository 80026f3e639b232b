import { hash } from 'node:crypto';
import { CONTEXT_NAMES, type ContextName, type RecordedEvent, type Said } from '@provender/contracts';
import { type Instant, instant } from '@provender/kernel';
import pg from 'pg';
import { type ManualClock, manualClock } from '../clock.ts';
import { type Database, openDatabase, statement } from '../database.ts';
import { eventLog } from '../event-log.ts';
import { randomIds } from '../ids.ts';
import { migrate } from '../migrate.ts';
import type { ContextModule, Log, OpenContext } from '../module.ts';
import { postgresTransport, readLog } from '../postgres-transport.ts';
import { idle, openContext, type RunningContext, type SharedPlatform } from '../running-context.ts';
import { readSettings } from '../settings.ts';
import { createTestDatabase, ensureTemplate } from './test-database.ts';

/** Saturday, 21 November 2026, 09:00 in Berlin. */
export const TEST_NOON: Instant = instant(Date.parse('2026-11-21T08:00:00.000Z'));

export type TestContext<Open extends OpenContext> = {
  readonly running: RunningContext<Open>;
  readonly clock: ManualClock;
  readonly url: string;
  readonly superuserUrl: string;
  /**
   * Lets other contexts say something, and waits until this one has consumed it. Throws what a reaction has thrown,
   * unless the test brought a log of its own.
   */
  hear(events: readonly Said[]): Promise<void>;
  /** What this context itself has said, of the named types or of all, in order. */
  said(...types: string[]): Promise<RecordedEvent[]>;
  /** Moves business time on, from one due timer of this context to the next. Throws what a job has thrown, likewise. */
  advanceTo(moment: Instant): Promise<void>;
  /** Runs SQL as the superuser, to look or to plant what the context could not write. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
};

const NO_MIGRATIONS = new URL('./no-migrations/', import.meta.url);
const EVENTS_READ_MAX = 10_000;
/** Taken with the lock that the append takes next, so that the positions of the events are known beforehand. */
const HEAD_BEFORE = statement('head-before', 'SELECT position FROM outbox_head FOR UPDATE');

function sourceOf(event: Said): ContextName {
  return event.type.slice(0, event.type.indexOf('.')) as ContextName;
}

/**
 * One context on a database of its own, with the logs of all others beside it, so that a test can speak for them.
 * `log` may be given to see the errors of reactions and jobs.
 */
export async function openTestContext<Open extends OpenContext>(
  module: ContextModule<Open>,
  options: { readonly now?: Instant; readonly log?: Log; readonly env?: Record<string, string> } = {},
): Promise<TestContext<Open>> {
  // A toy of the platform's own tests may stand where a real context does: each has a template by its migrations.
  const template = `template_${module.context}_${hash('sha256', module.migrations.href).slice(0, 8)}`;
  const modules = CONTEXT_NAMES.map((context) =>
    context === module.context ? module : { context, migrations: NO_MIGRATIONS },
  );
  await ensureTemplate(template, (url) => migrate(url, modules));
  const database = await createTestDatabase({ template });
  const clock = manualClock(options.now ?? TEST_NOON);
  const ids = randomIds();
  const transport = postgresTransport();
  const settings = readSettings(options.env ?? {});
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const speakers = new Map<ContextName, Database>();
  const failures: unknown[] = [];
  const recording: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: (fields) => failures.push(fields) };

  /** A failing reaction or job parks or postpones its work, which a test would not notice. */
  function complain(): void {
    const [failure] = failures.splice(0);
    if (failure === undefined) return;
    throw typeof failure === 'object' && failure !== null && 'err' in failure ? failure.err : failure;
  }

  const shared: SharedPlatform = {
    databaseUrl: database.url,
    transport,
    clock,
    ids,
    settings: settings.value,
    log: options.log ?? recording,
    publicUrl: () => 'http://127.0.0.1:3000',
    oneCluster: true,
  };
  const running = openContext(module, shared);
  await running.start({ timers: false });
  const admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();

  function speakerOf(source: ContextName): Database {
    const speaker = openDatabase({
      url: database.superuserUrl,
      schema: source,
      connectionsMax: 1,
      applicationName: 'test speaker',
      seal: (query, said) => eventLog(source, clock, ids).append(query, said),
    });
    speaker.onCommitted((recorded) => transport.committed(source, recorded));
    speakers.set(source, speaker);
    return speaker;
  }

  async function hear(events: readonly Said[]): Promise<void> {
    for (const source of new Set(events.map(sourceOf))) {
      if (!running.reactor.sources.includes(source)) throw new Error(`${module.context} does not listen to ${source}`);
      const speaker = speakers.get(source) ?? speakerOf(source);
      const position = await speaker.withTx(async (tx) => {
        tx.append(events.filter((event) => sourceOf(event) === source));
        const [row] = await tx.query<{ position: number }>(HEAD_BEFORE);
        return (row?.position ?? 0) + events.filter((event) => sourceOf(event) === source).length;
      });
      await running.reactor.reached(source, position);
    }
    complain();
  }

  async function said(...types: string[]): Promise<RecordedEvent[]> {
    const { rows } = await admin.query<{ type: string }>(`SELECT DISTINCT type FROM ${module.context}.outbox`);
    const all = rows.map((row) => row.type);
    const events = await readLog(running.db, module.context, 0, EVENTS_READ_MAX, types.length > 0 ? types : all);
    return events.filter((event) => types.length === 0 || types.includes(event.type));
  }

  return {
    running,
    clock,
    url: database.url,
    superuserUrl: database.superuserUrl,
    hear,
    said,
    async advanceTo(moment) {
      for (;;) {
        await running.timers.runDue();
        await idle(new Map([[module.context, running]]));
        complain();
        const due = await running.timers.nextDue();
        if (due === undefined || due > moment) break;
        if (due > clock.now()) clock.advanceTo(due);
      }
      if (moment > clock.now()) clock.advanceTo(moment);
    },
    sql: async (text, values) => (await admin.query(text, values as unknown[])).rows,
    async close() {
      await running.stop();
      await transport.close();
      for (const speaker of speakers.values()) await speaker.close();
      await admin.end();
      await database.drop();
    },
  };
}
