import type { RecordedEvent } from '@provender/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Database, errorCode, isRace, isUnavailable, statement } from '../src/index.ts';
import { admin, failure, INSERT, names, open, pidOf, SLEEP, WRONG, useLoaves } from './loaves.ts';
import { registered } from './toy-context.ts';

useLoaves();

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

describe('a table that changes under a running process', () => {
  const ALL = statement('all', 'SELECT * FROM loaves');

  test('given a statement that was prepared before, when run again, then it works on, in and outside of transactions', async () => {
    const [inside, outside] = [open(), open({ connectionsMax: 8 })];
    await inside.withTx((tx) => tx.query(ALL));
    await Promise.all(Array.from({ length: 8 }, () => outside.query(ALL)));
    await admin().query('ALTER TABLE loaves ADD COLUMN crust text');

    await inside.withTx((tx) => Promise.all([tx.query(INSERT, ['rye']), tx.query(ALL)]));
    expect(await inside.query(ALL)).toEqual([{ name: 'rye', turns: 0, crust: null }]);
    expect(await outside.query(ALL)).toHaveLength(1);
  });
});

describe('races', () => {
  const LOSE = statement('lose', "SELECT CASE WHEN nextval('tries') < $1 THEN fail_serialisation() END");

  beforeAll(() =>
    admin().query(`CREATE FUNCTION fail_serialisation() RETURNS void LANGUAGE plpgsql AS
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
    expect((await admin().query('SELECT last_value FROM tries')).rows).toEqual([{ last_value: '3' }]);
  });

  test('given two that lock in opposite order, when run at once, then both are done', async () => {
    await admin().query("INSERT INTO loaves VALUES ('a'), ('b')");
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

    expect((await admin().query('SELECT turns FROM loaves')).rows).toEqual([{ turns: 2 }, { turns: 2 }]);
  });
});
