import type { RecordedEvent } from '@provender/contracts';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Database,
  type DatabaseOptions,
  errorCode,
  isRace,
  isUnavailable,
  openDatabase,
  statement,
} from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';
import { lossyProxy } from './lossy-proxy.ts';
import { registered } from './toy-context.ts';

const INSERT = statement('insert', 'INSERT INTO loaves (name) VALUES ($1)');
const NAMES = statement('names', 'SELECT name FROM loaves ORDER BY name');
const WRONG = statement('wrong', 'SELECT 1 / 0');
const MY_PID = statement('my-pid', 'SELECT pg_backend_pid() AS pid');
const SLEEP = statement('sleep', 'SELECT pg_sleep($1::float)');

let place: TestDatabase;
let admin: pg.Client;
const opened: Database[] = [];
const unheard: unknown[] = [];
const noteUnheard = (reason: unknown) => void unheard.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', noteUnheard);
  place = await createTestDatabase();
  admin = new pg.Client({ connectionString: place.superuserUrl });
  await admin.connect();
  await admin.query(
    'CREATE TABLE loaves (name text PRIMARY KEY, turns integer DEFAULT 0); GRANT ALL ON loaves TO PUBLIC',
  );
  await admin.query('CREATE SEQUENCE tries; GRANT ALL ON tries TO PUBLIC');
});
beforeEach(() => admin.query('TRUNCATE loaves; ALTER SEQUENCE tries RESTART'));
afterAll(async () => {
  for (const database of opened) await database.close();
  await admin.end();
  await place.drop();
  process.off('unhandledRejection', noteUnheard);
  expect(unheard).toEqual([]);
});

function open(options: Partial<DatabaseOptions> = {}): Database {
  const database = openDatabase({ url: place.url, connectionsMax: 1, applicationName: 'database test', ...options });
  opened.push(database);
  return database;
}

async function names(): Promise<string[]> {
  return (await admin.query<{ name: string }>(NAMES.text)).rows.map((row) => row.name);
}

async function pidOf(db: Database): Promise<number> {
  const [row] = await db.query<{ pid: number }>(MY_PID);
  return row?.pid ?? 0;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function killed(pid: number): Promise<void> {
  await admin.query('SELECT pg_terminate_backend($1)', [pid]);
  await expect
    .poll(async () => (await admin.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount)
    .toBe(0);
}

describe('a transaction', () => {
  test('given work that succeeds, when run, then it is committed and its value given', async () => {
    const value = await open().withTx(async (tx) => {
      await Promise.all([tx.query(INSERT, ['rye']), tx.query(INSERT, ['spelt'])]);
      return 42;
    });

    expect(value).toBe(42);
    expect(await names()).toEqual(['rye', 'spelt']);
  });

  test('given work that throws, when run, then nothing is committed and the connection is used again', async () => {
    const db = open();
    const pid = await pidOf(db);
    const thrown = db.withTx(async (tx) => {
      await tx.query(INSERT, ['rye']);
      throw new Error('burnt');
    });

    await expect(thrown).rejects.toThrow('burnt');
    expect(await names()).toEqual([]);
    expect(await pidOf(db)).toBe(pid);
  });

  test('given work that throws before it awaits anything, when run, then it is rolled back', async () => {
    const db = open();
    const thrown = db.withTx(() => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    await db.withTx((tx) => tx.query(INSERT, ['rye']));

    expect(await names()).toEqual(['rye']);
  });

  test('given a pipeline with an error in the middle, when run, then all of it is rolled back', async () => {
    const db = open();
    const error = await failure(
      db.withTx((tx) => Promise.all([tx.query(INSERT, ['rye']), tx.query(WRONG), tx.query(INSERT, ['spelt'])])),
    );

    expect(errorCode(error)).toBe('22012');
    expect(await names()).toEqual([]);
    await db.withTx((tx) => tx.query(INSERT, ['emmer']));
    expect(await names()).toEqual(['emmer']);
  });

  test('given a failed query that the work swallows, when run, then it fails all the same', async () => {
    const swallowing = open().withTx(async (tx) => {
      await tx.query(INSERT, ['rye']);
      await tx.query(WRONG).catch(() => {});
      return 'fine';
    });

    expect(errorCode(await failure(swallowing))).toBe('22012');
    expect(await names()).toEqual([]);
  });

  test('given a failed query that nobody waits for, when run, then it fails, and no rejection is unheard', async () => {
    const forgetful = open().withTx(async (tx) => {
      await tx.query(INSERT, ['rye']);
      void tx.query(WRONG);
      return 'fine';
    });

    expect(errorCode(await failure(forgetful))).toBe('22012');
    expect(await names()).toEqual([]);
  });

  test('given several queries of which one fails while another is waited for, then no rejection is unheard', async () => {
    const db = open();
    const error = await failure(
      db.withTx(async (tx) => {
        const first = tx.query(WRONG);
        await tx.query(INSERT, ['rye']);
        await first;
      }),
    );

    expect(errorCode(error)).toBe('22012');
    expect(await names()).toEqual([]);
  });

  test('given work that throws while a query still runs, when run, then its connection is given up', async () => {
    const db = open();
    const pid = await pidOf(db);
    const thrown = db.withTx(async (tx) => {
      void tx.query(SLEEP, [0.3]);
      throw new Error('too hasty');
    });

    await expect(thrown).rejects.toThrow('too hasty');
    expect(await pidOf(db)).not.toBe(pid);
  });

  test('given a transaction that is over, when somebody uses it still, then it is refused', async () => {
    let kept: Parameters<Parameters<Database['withTx']>[0]>[0] | undefined;
    const db = open();
    await db.withTx(async (tx) => {
      kept = tx;
    });

    await expect(kept?.query(INSERT, ['late'])).rejects.toThrow('too late');
    expect(() => kept?.append([registered('ann')])).toThrow('too late');
    expect(await names()).toEqual([]);
  });

  test('given a write outside of a transaction, when run, then the server refuses it', async () => {
    expect(errorCode(await failure(open().query(INSERT, ['rye'])))).toBe('25006');
    expect(isUnavailable({ code: '25006' })).toBe(false);
  });

  test('given a value that cannot be written, when run, then nothing is committed and the statement works later', async () => {
    const db = open();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;

    await expect(db.withTx((tx) => tx.query(INSERT, [circular]))).rejects.toThrow(/circular/);
    await db.withTx((tx) => tx.query(INSERT, ['rye']));
    expect(await names()).toEqual(['rye']);
  });
});

describe('events of a transaction', () => {
  const heard: string[] = [];
  const recorded = (position: number) => [{ position } as RecordedEvent];

  test('given a listener, when transactions commit and roll back, then it hears of the committed ones only', async () => {
    const db = open({
      seal: async (query, events) => {
        await query.query(INSERT, [events[0]?.subject]);
        return recorded(events.length);
      },
    });
    db.onCommitted((events) => heard.push(`${events[0]?.position}`));
    await db.withTx(async (tx) => tx.append([registered('ann'), registered('bob')]));
    await failure(
      db.withTx(async (tx) => {
        tx.append([registered('eve')]);
        await tx.query(WRONG);
      }),
    );
    // The seal itself meets a name that is there.
    await failure(db.withTx(async (tx) => tx.append([registered('ann')])));

    expect(heard).toEqual(['2']);
    expect(await names()).toEqual(['ann']);
  });

  test('given a seal that fails before it has sent anything, when run, then the change is not committed', async () => {
    const db = open({ seal: async (_query, events) => JSON.parse(JSON.stringify(events, bigint)) });
    await expect(
      db.withTx(async (tx) => {
        await tx.query(INSERT, ['rye']);
        tx.append([registered('ann')]);
      }),
    ).rejects.toThrow(/BigInt/);

    expect(await names()).toEqual([]);
  });

  test('given a database without a log, when something is said, then nothing is committed', async () => {
    await expect(
      open().withTx(async (tx) => {
        await tx.query(INSERT, ['rye']);
        tx.append([registered('ann')]);
      }),
    ).rejects.toThrow('no event log');

    expect(await names()).toEqual([]);
  });

  function bigint(_name: string, value: unknown): unknown {
    return typeof value === 'string' ? 1n : value;
  }
});

describe('races', () => {
  const LOSE = statement('lose', "SELECT CASE WHEN nextval('tries') < $1 THEN fail_serialisation() END");

  beforeAll(() =>
    admin.query(`CREATE FUNCTION fail_serialisation() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`),
  );

  test('given a transaction that loses twice, when run, then the third time wins, on the same connection', async () => {
    const db = open();
    const pid = await pidOf(db);
    await db.withTx(async (tx) => {
      await tx.query(INSERT, ['rye']);
      await tx.query(LOSE, [3]);
    });

    expect(await names()).toEqual(['rye']);
    expect(await pidOf(db)).toBe(pid);
  });

  test('given a transaction that always loses, when run, then it is given up after three times', async () => {
    const error = await failure(open().withTx((tx) => tx.query(LOSE, [1_000])));

    expect(isRace(error)).toBe(true);
    expect((await admin.query('SELECT last_value FROM tries')).rows).toEqual([{ last_value: '3' }]);
  });

  test('given two that lock in opposite order, when run at once, then both are done', async () => {
    await admin.query("INSERT INTO loaves VALUES ('a'), ('b')");
    const TURN = statement('turn', 'UPDATE loaves SET turns = turns + 1 WHERE name = $1');
    let met = 0;
    const both = Promise.withResolvers<void>();
    const turn = (first: string, second: string) =>
      open().withTx(async (tx) => {
        await tx.query(TURN, [first]);
        met += 1;
        if (met === 2) both.resolve();
        await both.promise;
        await tx.query(TURN, [second]);
      });
    await Promise.all([turn('a', 'b'), turn('b', 'a')]);

    expect((await admin.query('SELECT turns FROM loaves')).rows).toEqual([{ turns: 2 }, { turns: 2 }]);
  });
});

describe('a broken connection', () => {
  test('given one that is killed in mid-transaction, when run, then nothing is committed and another is used', async () => {
    const db = open();
    const connections: number[] = [];
    db.onConnected(() => connections.push(connections.length));
    let pid = 0;
    const error = await failure(
      db.withTx(async (tx) => {
        await tx.query(INSERT, ['rye']);
        const [row] = await tx.query<{ pid: number }>(MY_PID);
        pid = row?.pid ?? 0;
        await killed(pid);
        await tx.query(INSERT, ['spelt']);
      }),
    );

    expect(isUnavailable(error)).toBe(true);
    expect(await names()).toEqual([]);
    expect(await pidOf(db)).not.toBe(pid);
    expect(connections).toHaveLength(2);
  });

  test('given one that is killed while a query runs, when run, then it fails as unavailable', async () => {
    const db = open();
    const pid = await pidOf(db);
    const running = failure(db.withTx((tx) => tx.query(SLEEP, [20])));
    await expect
      .poll(async () => (await admin.query("SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep($1%'")).rowCount)
      .toBeGreaterThan(0);
    await killed(pid);

    expect(errorCode(await running)).toBe('57P01');
    await db.withTx((tx) => tx.query(INSERT, ['rye']));
    expect(await names()).toEqual(['rye']);
  });

  test('given one that is killed while idle, when needed, then another is opened', async () => {
    const db = open();
    const pid = await pidOf(db);
    await killed(pid);
    await expect.poll(() => pidOf(db).catch(() => pid)).not.toBe(pid);
  });

  test('given a commit whose answer is lost, when run, then it fails as unavailable though it is committed', async () => {
    const proxy = await lossyProxy(place.url);
    const db = open({ url: proxy.url });
    await db.query(NAMES);
    proxy.loseAnswerTo('COMMIT');
    const error = await failure(db.withTx((tx) => tx.query(INSERT, ['rye'])));

    expect(isUnavailable(error)).toBe(true);
    expect(await names()).toEqual(['rye']);
    await db.close();
    await proxy.close();
  });

  test('given no server, when asked, then it is unavailable', async () => {
    const proxy = await lossyProxy(place.url);
    await proxy.close();

    expect(isUnavailable(await failure(open({ url: proxy.url }).query(NAMES)))).toBe(true);
    expect(isUnavailable(await failure(open({ url: proxy.url }).withTx(async () => 1)))).toBe(true);
  });
});

describe('limits', () => {
  test('given a statement that takes too long, when run, then the server ends it and it is unavailable', async () => {
    const db = open({ statementTimeoutMilliseconds: 100 });
    const error = await failure(db.withTx((tx) => tx.query(SLEEP, [20])));

    expect(errorCode(error)).toBe('57014');
    expect(isUnavailable(error)).toBe(true);
  });

  test('given all connections in use, when another is asked for, then it is refused as unavailable in time', async () => {
    const db = open();
    const held = Promise.withResolvers<void>();
    const holder = db.withTx(() => held.promise);
    const error = await failure(db.query(NAMES));
    held.resolve();
    await holder;

    expect(isUnavailable(error)).toBe(true);
    expect(await db.query(NAMES)).toEqual([]);
  });

  test('given errors of all kinds, when classified, then only those of the machine are unavailable', () => {
    const away = ['08006', '53100', '53300', '57P01', '57P03', '58030', '57014', '55P03', 'ECONNREFUSED', 'ECONNRESET'];
    const wrong = ['23505', '22012', '42P01', '40001', '40P01', '42501', 'PV001'];

    expect(away.filter((code) => !isUnavailable({ code }))).toEqual([]);
    expect(wrong.filter((code) => isUnavailable({ code }))).toEqual([]);
    expect(isUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isUnavailable(new Error('burnt'))).toBe(false);
    expect(isUnavailable(undefined)).toBe(false);
  });
});

describe('values', () => {
  test('given the types that we use, when read, then they come as what the code works with', async () => {
    const TYPES = statement(
      'types',
      `SELECT 9007199254740991 AS large, ARRAY[1, NULL, 3]::bigint[] AS many, '2026-11-21'::date AS day,
        '2026-11-21T08:00:00.123456Z'::timestamptz AS moment, '{"a": [1]}'::json AS document, NULL::timestamptz AS never`,
    );

    expect(await open().query(TYPES)).toEqual([
      {
        large: 9_007_199_254_740_991,
        many: [1, null, 3],
        day: '2026-11-21',
        moment: Date.parse('2026-11-21T08:00:00.123Z'),
        document: { a: [1] },
        never: null,
      },
    ]);
  });

  test('given a number beyond what JavaScript can hold, when read, then it throws rather than be a little wrong', async () => {
    const db = open();
    await expect(db.query(statement('huge', 'SELECT 9007199254740993'))).rejects.toThrow(/2\^53/);
    expect(await db.query(NAMES)).toEqual([]);
  });
});
