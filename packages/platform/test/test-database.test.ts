import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '../src/testing/index.ts';

const made: TestDatabase[] = [];

afterAll(async () => {
  for (const database of made) await database.drop();
});

async function create(template?: string): Promise<TestDatabase> {
  const database = await createTestDatabase(template === undefined ? {} : { template });
  made.push(database);
  return database;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe('a database for a test', () => {
  test('given two of them, when one is written to, then the other does not show it', async () => {
    const [first, second] = [await create(), await create()];
    await query(first.url, 'CREATE TABLE loaves ()');

    await expect(query(second.url, 'SELECT FROM loaves')).rejects.toThrow(/does not exist/);
  });

  test('given a template asked for by many, when made, then it is migrated once and each copy has it', async () => {
    let times = 0;
    const migrate = async (url: string) => {
      times += 1;
      await query(url, 'CREATE SCHEMA bakery');
      await query(url, 'CREATE TABLE bakery.loaves AS SELECT n FROM generate_series(1, 3) n');
    };
    await Promise.all(Array.from({ length: 5 }, () => ensureTemplate('bakery template', migrate)));
    const copies = await Promise.all(Array.from({ length: 3 }, () => create('bakery template')));

    expect(times).toBe(1);
    for (const copy of copies) {
      expect(await query(copy.url, 'SELECT count(*)::int AS loaves FROM bakery.loaves')).toEqual([{ loaves: 3 }]);
    }
  });

  test('given a migration that fails, when the template is asked for again, then it is tried again', async () => {
    const broken = ensureTemplate('retried', () => Promise.reject(new Error('no such column')));
    await expect(broken).rejects.toThrow('no such column');

    await ensureTemplate('retried', async (url) => void (await query(url, 'CREATE TABLE loaves ()')));
    expect(await query((await create('retried')).url, 'SELECT FROM loaves')).toEqual([]);
  });

  test('given connections left open, when dropped, then it goes all the same', async () => {
    const database = await create();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {});
    await client.connect();

    await database.drop();

    await expect(query(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });

  test('given a template, when a copy is made, then it takes well under a second', async () => {
    await ensureTemplate('empty', async () => {});
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const started = performance.now();
      await create('empty');
      times.push(performance.now() - started);
    }
    expect(Math.min(...times)).toBeLessThan(1_000);
  });
});
