import { HOUR, type Instant, MINUTE, plus } from '@provender/kernel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Clock,
  cancelTimer,
  type Database,
  ensureTimer,
  type Jobs,
  type ManualClock,
  manualClock,
  openDatabase,
  openTimers,
  roleOf,
  scaledClock,
  scheduleTimer,
  type TimerLoop,
} from '../src/index.ts';
import { openTestContext, TEST_NOON, type TestContext } from '../src/testing/index.ts';
import { type Toy, toyModule } from './toy-context.ts';

const GREET = {
  name: 'greet-one',
  text: 'INSERT INTO greetings (subject, position, text, heard_at) VALUES ($1, 0, $2, now())',
};

let toy: TestContext<Toy>;
let clock: ManualClock;
let errors: string[];
const loops: TimerLoop[] = [];
const databases: Database[] = [];

beforeAll(async () => {
  toy = await openTestContext(toyModule());
});
beforeEach(async () => {
  clock = manualClock(TEST_NOON);
  errors = [];
  await toy.sql('TRUNCATE catalog.greetings; TRUNCATE catalog.timers');
});
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.stop();
  for (const db of databases.splice(0)) await db.close();
});
afterAll(() => toy.close());

function openDb(): Database {
  const url = toy.url;
  const db = openDatabase({
    url,
    role: roleOf('catalog'),
    schema: 'catalog',
    connectionsMax: 2,
    applicationName: 'timers',
  });
  databases.push(db);
  return db;
}

/** Another process that runs the timers. */
function open(jobs: Jobs, options: { readonly clock?: Clock; readonly db?: Database } = {}): TimerLoop {
  const db = options.db ?? openDb();
  const onError = (_message: string, error: unknown) => void errors.push(String(error));
  const loop = openTimers({ db, jobs, clock: options.clock ?? clock, onError });
  loops.push(loop);
  return loop;
}

/** Leaves a line with the timer's key, and is done. */
const note: Jobs = {
  async note(timer, tx) {
    await tx.query(GREET, [timer.key, `${timer.dueAt}`]);
    return null;
  },
};

async function schedule(key: string, after: number, name = 'note', data?: unknown): Promise<void> {
  await toy.running.db.withTx((tx) => scheduleTimer(tx, { name, key, dueAt: plus(TEST_NOON, after), data }));
}

async function noted(): Promise<string[]> {
  const rows = await toy.sql<{ subject: string }>('SELECT subject FROM catalog.greetings ORDER BY ordinal');
  return rows.map((row) => row.subject);
}

describe('timers', () => {
  test('given timers of several moments, when due, then they run in order of their moments, each once', async () => {
    await schedule('third', 3 * MINUTE);
    await schedule('first', MINUTE);
    await schedule('later', HOUR);
    await schedule('second', 2 * MINUTE);
    const loop = open(note);
    expect(await loop.runDue()).toBe(0);
    expect(await loop.nextDue()).toBe(plus(TEST_NOON, MINUTE));
    clock.advance(10 * MINUTE);

    expect(await loop.runDue()).toBe(3);
    expect(await noted()).toEqual(['first', 'second', 'third']);
    expect(await loop.runDue()).toBe(0);
    expect(await loop.nextDue()).toBe(plus(TEST_NOON, HOUR));
  });

  test('given a timer set again, moved or taken back, then the last word counts; ensuring one moves none', async () => {
    await schedule('moved', MINUTE);
    await schedule('moved', HOUR);
    await schedule('gone', MINUTE);
    await schedule('kept', MINUTE);
    await toy.running.db.withTx(async (tx) => {
      await cancelTimer(tx, 'note', 'gone');
      await ensureTimer(tx, { name: 'note', key: 'kept', dueAt: plus(TEST_NOON, HOUR) });
      await ensureTimer(tx, { name: 'note', key: 'new', dueAt: plus(TEST_NOON, MINUTE) });
    });
    clock.advance(2 * MINUTE);
    await open(note).runDue();

    expect((await noted()).toSorted()).toEqual(['kept', 'new']);
  });

  test('given two processes, when many are due, then both run them and none twice', async () => {
    for (let count = 0; count < 100; count += 1) await schedule(`timer-${count}`, MINUTE);
    clock.advance(HOUR);
    const ran = await Promise.all([open(note).runDue(), open(note).runDue()]);

    expect(ran[0]).toBeGreaterThan(0);
    expect(ran[1]).toBeGreaterThan(0);
    expect(new Set(await noted()).size).toBe(100);
    expect(await noted()).toHaveLength(100);
  });

  test('given one that another process is running, when it is claimed, then the next is taken without waiting', async () => {
    await schedule('slow', MINUTE);
    await schedule('quick', 2 * MINUTE);
    clock.advance(HOUR);
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const slow = open({
      async note(_timer, tx) {
        begun.resolve();
        await finish.promise;
        await tx.query(GREET, ['slow', '']);
        return null;
      },
    });
    const running = slow.runDue();
    await begun.promise;
    expect(await open(note).runDue()).toBe(1);
    expect(await noted()).toEqual(['quick']);
    finish.resolve();

    expect(await running).toBe(1);
    expect(await noted()).toEqual(['quick', 'slow']);
  });

  test('given one that fails, when run, then its effect is undone, it rests by wall time, and others go on', async () => {
    await schedule('bad', MINUTE);
    await schedule('good', 2 * MINUTE);
    clock.advance(HOUR);
    let isBroken = true;
    const loop = open({
      async note(timer, tx) {
        await tx.query(GREET, [timer.key, '']);
        if (timer.key === 'bad' && isBroken) throw new Error('Not today');
        return null;
      },
    });
    await loop.runDue();
    expect(await noted()).toEqual(['good']);
    expect(errors).toEqual(['Error: Not today']);
    clock.advance(24 * HOUR);
    expect(await loop.runDue()).toBe(0);
    const [row] = await toy.sql('SELECT attempts, not_before > clock_timestamp() AS rests FROM catalog.timers');
    expect(row).toEqual({ attempts: 1, rests: true });

    isBroken = false;
    await toy.sql("UPDATE catalog.timers SET not_before = clock_timestamp() - interval '1 second'");
    expect(await loop.runDue()).toBe(1);
    expect(await noted()).toEqual(['good', 'bad']);
    expect(await toy.sql('SELECT FROM catalog.timers')).toEqual([]);
  });

  test('given one that goes on failing, then it rests longer each time, a minute at most, and starts afresh after', async () => {
    await schedule('bad', MINUTE);
    clock.advance(HOUR);
    const failing = open({ note: () => Promise.reject(new Error('Never')) });
    const rests: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      await toy.sql("UPDATE catalog.timers SET not_before = '-infinity'");
      await failing.runDue();
      const [row] = await toy.sql<{ seconds: string }>(
        'SELECT round(extract(epoch FROM not_before - clock_timestamp())) AS seconds FROM catalog.timers',
      );
      rests.push(Number(row?.seconds));
    }
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    await schedule('bad', MINUTE);
    expect(await toy.sql('SELECT attempts, not_before::text FROM catalog.timers')).toEqual([
      { attempts: 0, not_before: '-infinity' },
    ]);
  });

  test('given a process that was down, when it is back, then it runs what it missed, one slot after the other', async () => {
    await schedule('bake', 30 * MINUTE, 'every-half-hour', { loaves: 5 });
    clock.advance(3 * HOUR);
    const slots: number[] = [];
    const loop = open({
      async 'every-half-hour'({ dueAt, data }) {
        expect(data).toEqual({ loaves: 5 });
        slots.push((dueAt - TEST_NOON) / MINUTE);
        return plus(dueAt, 30 * MINUTE);
      },
    });
    await loop.runDue();

    expect(slots).toEqual([30, 60, 90, 120, 150, 180]);
    expect(await loop.nextDue()).toBe(plus(TEST_NOON, 210 * MINUTE));
  });

  test('given a job that would run at the same moment for ever, when run, then it is stopped and reported', async () => {
    await schedule('loop', MINUTE);
    clock.advance(HOUR);
    await open({ note: async ({ dueAt }) => dueAt }).runDue();

    expect(errors).toEqual(['Error: The timer note of loop would run for ever']);
  });

  test('given a timer of a job that this process does not know, when due, then it is left to those who do', async () => {
    await schedule('foreign', MINUTE, 'somebody-elses');
    clock.advance(HOUR);
    const loop = open(note);

    expect(await loop.runDue()).toBe(0);
    expect(await loop.nextDue()).toBeUndefined();
    expect(await toy.sql('SELECT name FROM catalog.timers')).toEqual([{ name: 'somebody-elses' }]);
  });

  test('given a commit that is lost at the last moment, when run again, then the effect is there once', async () => {
    await schedule('once', MINUTE);
    clock.advance(HOUR);
    const db = openDb();
    let kills = 1;
    const loop = open(
      {
        async note(timer, tx) {
          await tx.query(GREET, [timer.key, '']);
          if (kills > 0) {
            kills -= 1;
            await toy.sql(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE state = 'idle in transaction' AND datname = current_database()`,
            );
          }
          return null;
        },
      },
      { db },
    );
    await loop.runDue();
    await toy.sql("UPDATE catalog.timers SET not_before = '-infinity'");
    await loop.runDue();

    expect(await noted()).toEqual(['once']);
    expect(errors).toHaveLength(1);
  });

  test('given a clock that runs 600 times as fast, when it is started, then it wakes in time', async () => {
    const fast = scaledClock({ wall: Date.now(), business: TEST_NOON, rate: 600 });
    const ranAt: Instant[] = [];
    const due = [1, 2, 3, 4, 5].map((minutes) => minutes * 2 * MINUTE);
    for (const after of due) await schedule(`after-${after}`, after);
    const noteTime: Jobs = {
      async note() {
        ranAt.push(fast.now());
        return null;
      },
    };
    const loop = open(noteTime, { clock: fast });
    loop.start();
    await vi.waitFor(() => expect(ranAt).toHaveLength(5), { timeout: 10_000 });

    const lateness = ranAt.map((at, index) => at - TEST_NOON - (due[index] ?? 0));
    expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
    // Two business minutes are a fifth of a second: the best of five is not late by a slow machine's hiccup.
    expect(Math.min(...lateness)).toBeLessThan(100 * 600);
  });

  test('given a loop at rest, when it is stopped, then it ends at once', async () => {
    await schedule('far', HOUR);
    const loop = open(note);
    loop.start();
    await loop.stop();

    expect(await noted()).toEqual([]);
  });
});
