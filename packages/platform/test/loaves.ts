import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type Database, type DatabaseOptions, openDatabase, statement } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

export const INSERT = statement('insert', 'INSERT INTO loaves (name) VALUES ($1)');
export const NAMES = statement('names', 'SELECT name FROM loaves ORDER BY name');
export const WRONG = statement('wrong', 'SELECT 1 / 0');
export const MY_PID = statement('my-pid', 'SELECT pg_backend_pid() AS pid');
export const SLEEP = statement('sleep', 'SELECT pg_sleep($1::float)');

let place: TestDatabase;
let adminClient: pg.Client;
const opened: Database[] = [];
const unheard: unknown[] = [];
const noteUnheard = (reason: unknown) => void unheard.push(reason);

/** Gives each test of a file an empty table of loaves, and sees to it that no rejection was ever unheard. */
export function useLoaves(): void {
  beforeAll(async () => {
    process.on('unhandledRejection', noteUnheard);
    place = await createTestDatabase();
    adminClient = new pg.Client({ connectionString: place.superuserUrl });
    await adminClient.connect();
    await adminClient.query('CREATE TABLE loaves (name text PRIMARY KEY, turns integer DEFAULT 0)');
    await adminClient.query('CREATE SEQUENCE tries; GRANT ALL ON loaves, tries TO PUBLIC');
  });
  beforeEach(() => adminClient.query('TRUNCATE loaves; ALTER SEQUENCE tries RESTART'));
  afterAll(async () => {
    for (const database of opened) await database.close();
    await adminClient.end();
    await place.drop();
    process.off('unhandledRejection', noteUnheard);
    expect(unheard).toEqual([]);
  });
}

/** A connection of the superuser, to look and to do damage. */
export function admin(): pg.Client {
  return adminClient;
}

export function loavesUrl(): string {
  return place.url;
}

export function open(options: Partial<DatabaseOptions> = {}): Database {
  const database = openDatabase({ url: place.url, connectionsMax: 1, applicationName: 'database test', ...options });
  opened.push(database);
  return database;
}

export async function names(): Promise<string[]> {
  return (await adminClient.query<{ name: string }>(NAMES.text)).rows.map((row) => row.name);
}

export async function pidOf(db: Database): Promise<number> {
  const [row] = await db.query<{ pid: number }>(MY_PID);
  return row?.pid ?? 0;
}

/** What a promise rejects with; undefined where it does not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Ends a connection from the server's side, and waits until it is gone. */
export async function killed(pid: number): Promise<void> {
  await adminClient.query('SELECT pg_terminate_backend($1)', [pid]);
  await expect
    .poll(async () => (await adminClient.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount)
    .toBe(0);
}
