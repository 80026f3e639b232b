import { DAY, plus } from '@provender/kernel';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { dropLogPartitions } from '../src/index.ts';
import { openTestContext, TEST_NOON } from '../src/testing/index.ts';
import { registered, toyModule } from './toy-context.ts';

const toy = await openTestContext(toyModule());
afterAll(() => toy.close());

const TOMORROW = plus(TEST_NOON, DAY);

/** As if so many events had been said long ago: the log goes on behind them. */
async function pretendHead(position: number): Promise<void> {
  await toy.sql('UPDATE identity.outbox_head SET position = $1', [position]);
  await toy.sql("UPDATE catalog.cursors SET position = $1 WHERE source = 'identity'", [position]);
  await toy.sql('SET search_path = identity');
  await toy.sql('SELECT outbox_extend()');
  await toy.sql('RESET search_path');
}

async function drop(before = TOMORROW) {
  const parts = await dropLogPartitions(toy.url, { context: 'identity', before });
  return parts.map(({ name, dropped, reason }) => [name, dropped, reason]);
}

test('given a log with one part begun, when trimmed, then nothing goes, and each part says why', async () => {
  await toy.hear([registered('ann')]);

  expect(await drop()).toEqual([
    ['outbox_from_0', false, 'it is not full: the log has come to 1'],
    ['outbox_from_1000000', false, 'it is not full: the log has come to 1'],
  ]);
});

test('given a full part, when somebody has not consumed it, or it is too young, then it stays', async () => {
  await toy.running.stop();
  await pretendHead(999_998);
  await toy.sql("UPDATE catalog.cursors SET position = 17 WHERE source = 'identity'");
  await toy.sql(
    `INSERT INTO identity.outbox (position, id, type, key, subject, time, data)
     SELECT position, gen_random_uuid(), 'identity.roles-changed.v1', 'a', 'a', $1, '{}'
     FROM generate_series(999999, 1000000) AS position`,
    [new Date(TEST_NOON)],
  );
  await toy.sql('UPDATE identity.outbox_head SET position = 1000000');
  await toy.sql("INSERT INTO bank.cursors (source, partition, position) VALUES ('identity', 0, 999998)");

  expect((await drop())[0]).toEqual([
    'outbox_from_0',
    false,
    'not everybody has consumed it: bank (at 999998), catalog (at 17)',
  ]);
  await toy.sql("UPDATE catalog.cursors SET position = 1000000 WHERE source = 'identity'");
  expect((await drop())[0]).toEqual(['outbox_from_0', false, 'not everybody has consumed it: bank (at 999998)']);
  await toy.sql('UPDATE bank.cursors SET position = 999999');
  expect((await drop(TEST_NOON))[0]).toEqual([
    'outbox_from_0',
    false,
    'its newest event is of 2026-11-21T08:00:00.000Z',
  ]);
});

test('given somebody who has been reading for long, when room for more is made, then nobody waits', async () => {
  const reader = new pg.Client({ connectionString: toy.superuserUrl });
  await reader.connect();
  await reader.query('BEGIN; SELECT count(*) FROM production.outbox');
  await toy.sql('UPDATE production.outbox_head SET position = 5000000');
  await toy.sql("SET search_path = production; SET lock_timeout = '2s'");
  await toy.sql('SELECT outbox_extend()');
  await toy.sql('RESET search_path; RESET lock_timeout');
  await reader.end();

  const [there] = await toy.sql("SELECT to_regclass('production.outbox_from_6000000') IS NOT NULL AS there");
  expect(there).toEqual({ there: true });
});

test('given a full part that a reader holds, when trimmed, then it gives up soon and says so', async () => {
  const reader = new pg.Client({ connectionString: toy.superuserUrl });
  await reader.connect();
  await reader.query('BEGIN; SELECT count(*) FROM identity.outbox');

  expect((await drop())[0]).toEqual([
    'outbox_from_0',
    false,
    'the database refused: canceling statement due to lock timeout',
  ]);
  await reader.end();
});

test('given a full, old part that all have passed, when trimmed, then it is gone and the rest is there', async () => {
  expect((await drop())[0]).toEqual(['outbox_from_0', true, undefined]);

  expect(await toy.sql('SELECT position FROM identity.outbox')).toEqual([{ position: '1000000' }]);
  expect((await drop()).map(([name]) => name)).toEqual(['outbox_from_1000000']);
});
