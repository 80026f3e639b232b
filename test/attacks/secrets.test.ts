import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** Marks that are nowhere else: wherever one of them turns up, a secret has come through. */
const CANARY = `canary-${randomUUID()}`;
const PASSWORD = `${CANARY}-password`;
const WRONG_PASSWORD = `${CANARY}-wrong`;
const TOKEN = `${CANARY}-token`;

let database: TestDatabase;
let admin: pg.Client;
let server: ServerProcess;
/** Tokens that the server itself gave out, and the password of its database. */
const secrets: string[] = [CANARY];
const answers: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  secrets.push(new URL(database.url).password);
  server = await startServerProcess({ DATABASE_URL: database.url, PROVENDER_DEMO: 'on', LOG_LEVEL: 'debug' });
  await useSecrets();
});

afterAll(async () => {
  await server.stop();
  await admin.end();
  await database.drop();
});

type Tokens = { access_token: string; refresh_token: string };

async function grant(form: Record<string, string>): Promise<Tokens> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const bytes = new URLSearchParams(form).toString();
  const { body, text, status } = await server.api.call<Tokens>('POST /api/oauth/token', { bytes, headers });
  // The answer to a sign-in is the one place where its tokens belong.
  if (status !== 200) answers.push(text);
  return body;
}

/** Does all that a secret takes part in, rightly and wrongly. */
async function useSecrets(): Promise<void> {
  const { api } = server;
  const keep = async (line: string, options: Parameters<typeof api.call>[1]) => {
    const { text, headers } = await api.call(line, options);
    answers.push(text, JSON.stringify(headers));
  };
  const email = 'careful@test.example';
  const person = { email, password: PASSWORD, name: 'Careful' };
  await keep('POST /api/users', { body: person, key: 'registration' });
  await keep('POST /api/users', { body: person, key: 'registration' });
  await keep('POST /api/users', { body: person });
  await keep('POST /api/users', { body: { ...person, name: 1 } });
  await keep('POST /api/users', { body: { ...person, again: PASSWORD } });
  await keep('POST /api/users', { bytes: `{"password":"${PASSWORD}"` });
  await keep(`POST /api/users?password=${PASSWORD}`, { body: person });
  await grant({ grant_type: 'password', username: email, password: WRONG_PASSWORD });
  await grant({ grant_type: 'refresh_token', refresh_token: TOKEN });
  await grant({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: `${CANARY}-secret` });
  const first = await grant({ grant_type: 'password', username: email, password: PASSWORD });
  const second = await grant({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  await grant({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  for (const tokens of [first, second]) secrets.push(tokens.access_token, tokens.refresh_token);
  await keep('GET /api/users/me', { token: first.access_token });
  await keep('GET /api/users/me', { token: TOKEN });
  await keep('GET /api/users/me', { headers: { authorization: `Basic ${btoa(`${email}:${PASSWORD}`)}` } });
  await keep('GET /api/users/me', { headers: { cookie: `session=${TOKEN}` } });
  const order = { siteId: randomUUID(), lines: [{ productId: randomUUID(), quantity: 1 }] };
  await keep('POST /api/orders', { token: first.access_token, body: order, key: 'order' });
  await keep(`GET /nowhere?access_token=${TOKEN}`, {});
}

/** Every table of the system with the rows that hold a text, also inside JSON and as bytes. */
async function rowsWith(secret: string): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const patterns = [`%${secret}%`, `%${Buffer.from(secret).toString('hex')}%`];
    const hits = await admin.query(`SELECT FROM ${name} AS one WHERE one::text LIKE ANY($1)`, [patterns]);
    if ((hits.rowCount ?? 0) > 0) found.push(name);
  }
  expect(rows.length).toBeGreaterThan(30);
  return found;
}

describe('secrets', () => {
  test('given passwords and tokens that are used, when the log is read at its most talkative, then none of them is in it', () => {
    const log = server.output();
    expect(log).toContain('/api/oauth/token');
    for (const secret of secrets) expect(log).not.toContain(secret);
    expect(log).not.toMatch(/\$argon2/);
  });

  test('given passwords and tokens that are used, when the database is searched, then none of them is in it', async () => {
    for (const secret of secrets)
      expect([secret.slice(0, 20), await rowsWith(secret)]).toEqual([secret.slice(0, 20), []]);
    expect(await rowsWith('careful@test.example')).toContain('identity.users');
  });

  test('given requests that were refused, when their answers are read, then none repeats a secret or shows what is inside', () => {
    expect(answers.length).toBeGreaterThan(20);
    for (const text of answers) {
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/\bat \w+ \(|node_modules|postgres:\/\/|SELECT .* FROM/);
    }
  });

  test('given the metrics and documents that anyone may read, when they are read, then no secret and nobody is in them', async () => {
    for (const path of ['/metrics', '/openapi.json', '/asyncapi.json', '/health/ready', '/.well-known/jwks.json']) {
      const { status, text } = await server.api.call(`GET ${path}`);
      expect([path, status]).toEqual([path, 200]);
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toContain('careful@test.example');
      expect(text).not.toMatch(/"d":|PRIVATE KEY/);
    }
  });
});
