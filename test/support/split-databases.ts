import type { ContextName } from '@provender/contracts';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import { modules } from '@provender/server';
import pg from 'pg';

/** A database for each context. */
export type SplitDatabases = Readonly<Record<ContextName, TestDatabase>>;

/** Copies a database that nobody is connected to, so many times as there are contexts, and leaves each its own part. */
export async function splitDatabase(database: TestDatabase): Promise<SplitDatabases> {
  const template = new URL(database.url).pathname.slice(1);
  const split = new Map<ContextName, TestDatabase>();
  for (const { context } of modules) {
    const copy = await createTestDatabase({ template });
    await dropOthers(copy, context);
    split.set(context, copy);
  }
  // Every context was just given one.
  return Object.fromEntries(split) as SplitDatabases;
}

async function dropOthers({ superuserUrl }: TestDatabase, context: ContextName): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query("SET client_min_messages = 'warning'");
    for (const other of modules) {
      if (other.context !== context) await client.query(`DROP SCHEMA ${other.context} CASCADE`);
    }
  } finally {
    await client.end();
  }
}

/** As the setting DATABASE_URLS names them. */
export function urlsOf(databases: SplitDatabases): Record<ContextName, string> {
  const urls = Object.entries(databases).map(([context, { url }]) => [context, url]);
  return Object.fromEntries(urls) as Record<ContextName, string>;
}
