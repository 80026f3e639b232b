import { describe, expect, test } from 'vitest';
import { errorCode, isUnavailable, statement } from '../src/index.ts';
import {
  admin,
  failure,
  INSERT,
  killed,
  loavesUrl,
  MY_PID,
  NAMES,
  names,
  open,
  pidOf,
  SLEEP,
  useLoaves,
} from './loaves.ts';
import { lossyProxy } from './lossy-proxy.ts';

useLoaves();

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
    // Of that connection only: the text of this very question has the words too.
    const asleep = "SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%pg_sleep%'";
    await expect.poll(async () => (await admin().query(asleep, [pid])).rowCount).toBe(1);
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
    const proxy = await lossyProxy(loavesUrl());
    const db = open({ url: proxy.url });
    await db.query(NAMES);
    proxy.loseAnswerTo('COMMIT');
    const error = await failure(db.withTx((tx) => tx.query(INSERT, ['rye'])));

    expect(isUnavailable(error)).toBe(true);
    expect(await names()).toEqual(['rye']);
    await db.close();
    await proxy.close();
  });

  test('given a server that does not answer, when run, then its connection is given up in time', async () => {
    const proxy = await lossyProxy(loavesUrl());
    const db = open({ url: proxy.url, answerTimeoutMilliseconds: 300 });
    const pid = await pidOf(db);
    proxy.hang(true);
    const error = await failure(db.withTx((tx) => Promise.all([tx.query(NAMES), tx.query(INSERT, ['rye'])])));
    proxy.hang(false);

    expect(isUnavailable(error)).toBe(true);
    expect(await names()).toEqual([]);
    expect(await pidOf(db)).not.toBe(pid);
    await db.close();
    await proxy.close();
  });

  test('given no server, when asked, then it is unavailable', async () => {
    const proxy = await lossyProxy(loavesUrl());
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
        '2026-11-21T08:00:00.123456Z'::timestamptz AS moment, '{"a": [1]}'::json AS document,
        NULL::timestamptz AS never`,
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
