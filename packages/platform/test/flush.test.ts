import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { type Database, openDatabase } from '../src/database.ts';
import { openFlush } from '../src/flush.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

describe('a flush', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let db: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Client({ connectionString: database.superuserUrl });
    await admin.connect();
    await admin.query('CREATE TABLE loaves (id integer)');
    db = openDatabase({ url: database.url, connectionsMax: 1, applicationName: 'flush test' });
  });

  afterAll(async () => {
    await db.close();
    await admin.end();
    await database.drop();
  });

  test('given a commit that did not wait for the disk, when flushed, then the disk has it', async () => {
    const flush = openFlush(db);
    await admin.query('SET synchronous_commit = off');
    await admin.query('INSERT INTO loaves SELECT generate_series(1, 1000)');
    const { rows: written } = await admin.query<{ at: string }>('SELECT pg_current_wal_insert_lsn() AS at');
    await flush();
    const { rows: flushed } = await admin.query<{ done: boolean }>(
      'SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn AS done',
      [written[0]?.at],
    );
    expect(flushed).toEqual([{ done: true }]);
  });

  test('given many who ask during a flush, when it is over, then one more serves them all', async () => {
    let count = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const counted: Database = {
      ...db,
      async withTx(work) {
        count += 1;
        await held;
        return db.withTx(work);
      },
    };
    const flush = openFlush(counted);
    const first = flush();
    await expect.poll(() => count).toBe(1);
    const others = Array.from({ length: 50 }, () => flush());
    release();
    await Promise.all([first, ...others]);
    expect(count).toBe(2);
  });

  test('given a flush that fails, when asked again, then the next one is tried', async () => {
    let fails = true;
    const failing: Database = {
      ...db,
      async withTx(work) {
        if (fails) throw new Error('The disk is away');
        return db.withTx(work);
      },
    };
    const flush = openFlush(failing);
    await expect(flush()).rejects.toThrow('The disk is away');
    fails = false;
    await expect(flush()).resolves.toBeUndefined();
  });
});
