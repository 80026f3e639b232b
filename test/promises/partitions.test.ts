import { randomBytes, randomUUID } from 'node:crypto';
import { openPartitioner } from '@provender/platform';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { partitionOf } from '@provender/server';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

test('given keys of every length, when the database says their partitions, then the relay says the same', async () => {
  const texts = Array.from({ length: 40 }, (_, length) => randomBytes(length).toString('hex').slice(0, length));
  const keys = [...texts, ...Array.from({ length: 100 }, () => randomUUID()), 'Brötchen', '🥐', 'a\u0301'];
  const asked = `SELECT ${partitionOf('key', '12')} AS partition
    FROM unnest($1::text[]) WITH ORDINALITY AS keys (key, at) ORDER BY at`;
  const { rows } = await client.query<{ partition: number }>(asked, [keys]);
  const partition = openPartitioner(12);
  expect(rows.map((row) => row.partition)).toEqual(keys.map(partition));
});
