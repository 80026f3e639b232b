import { formatInstant, type Instant, type Milliseconds } from '@provender/kernel';
import type { Clock } from './clock.ts';
import { type Database, type Query, statement } from './database.ts';
import { newTraceparent, traced } from './trace.ts';

/** Work that falls due by business time. `key` tells apart those of one name: a site, a schedule. */
export type Timer = {
  readonly name: string;
  readonly key: string;
  readonly dueAt: Instant;
  readonly data: unknown;
};

export type NewTimer = {
  readonly name: string;
  readonly key: string;
  readonly dueAt: Instant;
  readonly data?: unknown;
};

type JobTx = Parameters<Parameters<Database['withTx']>[0]>[0];

/**
 * What to do when a timer falls due, in the transaction that moves or removes it. Gives the next moment, or null when
 * it is done. It may run late, and after a lost commit it may run again: it must be safe to run twice.
 */
export type Jobs = { readonly [name: string]: (timer: Timer, tx: JobTx) => Promise<Instant | null> };

const POLL_MILLISECONDS_MAX = 500;
const RETRY_SECONDS_MAX = 60;
/** Timers run in one go before the loop looks up again. */
const RUN_MAX = 10_000;

const SCHEDULE = statement(
  'schedule-timer',
  `INSERT INTO timers (name, key, due_at, data) VALUES ($1, $2, $3, $4)
   ON CONFLICT (name, key) DO UPDATE
   SET due_at = excluded.due_at, data = excluded.data, attempts = 0, not_before = '-infinity'`,
);
const SCHEDULE_ALL = statement(
  'schedule-timers',
  `INSERT INTO timers (name, key, due_at) SELECT $1, key, $3 FROM unnest($2::text[]) AS wanted (key) ORDER BY key
   ON CONFLICT (name, key) DO UPDATE SET due_at = excluded.due_at, attempts = 0, not_before = '-infinity'`,
);
const ENSURE = statement(
  'ensure-timer',
  'INSERT INTO timers (name, key, due_at, data) VALUES ($1, $2, $3, $4) ON CONFLICT (name, key) DO NOTHING',
);
const CANCEL = statement('cancel-timer', 'DELETE FROM timers WHERE name = $1 AND key = $2');
const CLAIM = statement(
  'claim-timer',
  `SELECT name, key, due_at AS "dueAt", data FROM timers
   WHERE due_at <= $1 AND not_before <= clock_timestamp() AND name = ANY($2)
   ORDER BY due_at, name, key LIMIT 1 FOR UPDATE SKIP LOCKED`,
);
const MOVE = statement(
  'move-timer',
  "UPDATE timers SET due_at = $3, attempts = 0, not_before = '-infinity' WHERE name = $1 AND key = $2",
);
const NEXT = statement(
  'next-timer',
  'SELECT min(due_at) AS "dueAt" FROM timers WHERE name = ANY($1) AND not_before <= clock_timestamp()',
);
const POSTPONE = statement(
  'postpone-timer',
  `UPDATE timers SET attempts = attempts + 1,
     not_before = clock_timestamp() + least(power(2, attempts), ${RETRY_SECONDS_MAX}) * interval '1 second'
   WHERE name = $1 AND key = $2`,
);

/** Sets a timer, or moves the one of that name and key. */
export async function scheduleTimer(tx: Query, timer: NewTimer): Promise<void> {
  await tx.query(SCHEDULE, valuesOf(timer));
}

/** Sets, or moves, the timers of one name and of all these keys to one moment. */
export async function scheduleTimers(tx: Query, name: string, keys: readonly string[], dueAt: Instant): Promise<void> {
  if (keys.length > 0) await tx.query(SCHEDULE_ALL, [name, keys, formatInstant(dueAt)]);
}

/** Sets a timer unless there is one of that name and key already: for recurring work, at each start. */
export async function ensureTimer(tx: Query, timer: NewTimer): Promise<void> {
  await tx.query(ENSURE, valuesOf(timer));
}

export async function cancelTimer(tx: Query, name: string, key: string): Promise<void> {
  await tx.query(CANCEL, [name, key]);
}

function valuesOf(timer: NewTimer): unknown[] {
  return [timer.name, timer.key, formatInstant(timer.dueAt), JSON.stringify(timer.data ?? {})];
}

export type TimerLoop = {
  /** Runs all that is due now, in order of due time, each in a transaction of its own. Gives how many ran. */
  runDue(): Promise<number>;
  /**
   * Runs the one that fell due first, if one is due; those of the jobs named are left alone. Gives whether it ran one.
   */
  runNext(except?: readonly string[]): Promise<boolean>;
  /**
   * When the next timer of this context falls due, those that rest after a failure aside, and those of the jobs named;
   * undefined where there is none.
   */
  nextDue(except?: readonly string[]): Promise<Instant | undefined>;
  start(): void;
  stop(): Promise<void>;
};

export type TimerLoopOptions = {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly onError: (message: string, error: unknown) => void;
};

/** Runs the timers of one context. Several processes may do so at once: each timer is claimed by one of them. */
export function openTimers({ db, jobs, clock, onError }: TimerLoopOptions): TimerLoop {
  const names = Object.keys(jobs);
  let stopping = false;
  let running: Promise<void> | undefined;
  let wakeUp: (() => void) | undefined;

  /** Runs one due timer of these jobs. Gives false where none is due. */
  async function runOne(wanted: readonly string[]): Promise<boolean> {
    let claimed: Timer | undefined;
    try {
      return await db.withTx(async (tx) => {
        claimed = undefined;
        [claimed] = await tx.query<Timer>(CLAIM, [formatInstant(clock.now()), wanted]);
        const job = claimed === undefined ? undefined : jobs[claimed.name];
        if (claimed === undefined || job === undefined) return false;
        const next = await job(claimed, traced(tx, newTraceparent()));
        if (next === null) await cancelTimer(tx, claimed.name, claimed.key);
        else await tx.query(MOVE, [claimed.name, claimed.key, formatInstant(later(claimed, next))]);
        return true;
      });
    } catch (error) {
      if (claimed === undefined) throw error;
      const { name, key } = claimed;
      onError(`The timer ${name} of ${key} failed and will run again`, error);
      await db.withTx((tx) => tx.query(POSTPONE, [name, key]));
      return true;
    }
  }

  async function runDue(): Promise<number> {
    if (names.length === 0) return 0;
    let count = 0;
    while (!stopping && count < RUN_MAX && (await runOne(names))) count += 1;
    return count;
  }

  function namesBut(except: readonly string[]): string[] {
    return names.filter((name) => !except.includes(name));
  }

  async function runNext(except: readonly string[] = []): Promise<boolean> {
    const wanted = namesBut(except);
    return wanted.length > 0 && !stopping && (await runOne(wanted));
  }

  async function nextDue(except: readonly string[] = []): Promise<Instant | undefined> {
    const wanted = namesBut(except);
    if (wanted.length === 0) return undefined;
    const [row] = await db.query<{ dueAt: Instant | null }>(NEXT, [wanted]);
    return row?.dueAt ?? undefined;
  }

  async function untilNext(): Promise<Milliseconds> {
    const due = await nextDue();
    if (due === undefined) return POLL_MILLISECONDS_MAX;
    return Math.min(POLL_MILLISECONDS_MAX, Math.max(10, (due - clock.now()) / clock.rate));
  }

  async function loop(): Promise<void> {
    while (!stopping) {
      const pause = await runDue()
        .then(untilNext)
        .catch((error: unknown) => {
          onError('The timers are interrupted and will go on', error);
          return POLL_MILLISECONDS_MAX;
        });
      if (stopping) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  return {
    runDue,
    runNext,
    nextDue,
    start() {
      if (names.length > 0) running = loop();
    },
    async stop() {
      stopping = true;
      wakeUp?.();
      await running;
    },
  };
}

function later(timer: Timer, next: Instant): Instant {
  if (next <= timer.dueAt) throw new Error(`The timer ${timer.name} of ${timer.key} would run for ever`);
  return next;
}
