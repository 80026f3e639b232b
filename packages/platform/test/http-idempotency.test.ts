import { randomUUID } from 'node:crypto';
import { CLOSED, Quantity, type Said } from '@provender/contracts';
import { type LightMyRequestResponse } from 'fastify';
import pg from 'pg';
import { Type } from 'typebox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase, statement } from '../src/database.ts';
import { answer, type HttpApp, type HttpServer, problem, purgeIdempotencyKeys, write } from '../src/http/index.ts';
import { migrate, roleOf } from '../src/migrate.ts';
import { createTestDatabase, ensureTemplate, type TestDatabase } from '../src/testing/index.ts';
import { openToyHttp } from './http-toy.ts';

const CONTEXT = 'catalog';
const INSERT = statement('effect', 'INSERT INTO effects (quantity) VALUES ($1) RETURNING id');
const WAIT_FOR_DOOR = statement('wait', 'SELECT pg_advisory_xact_lock(4711)');
const DIVIDE = statement('divide', 'SELECT 1 / $1::integer AS quotient');

let database: TestDatabase;
let db: Database;
let server: HttpServer;
let admin: pg.Client;
let hasSettled = 0;

beforeAll(async () => {
  const migrations = new URL('../src/testing/no-migrations/', import.meta.url);
  await ensureTemplate('template_idempotency', (url) => migrate(url, [{ context: CONTEXT, migrations }]));
  database = await createTestDatabase({ template: 'template_idempotency' });
  admin = new pg.Client({ connectionString: database.superuserUrl });
  await admin.connect();
  await admin.query(`CREATE TABLE ${CONTEXT}.effects (id serial PRIMARY KEY, quantity integer NOT NULL)`);
  await admin.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${CONTEXT} TO ${roleOf(CONTEXT)}`);
  await admin.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${CONTEXT} TO ${roleOf(CONTEXT)}`);
  db = openDatabase({
    url: database.url,
    role: roleOf(CONTEXT),
    schema: CONTEXT,
    connectionsMax: 8,
    applicationName: 'idempotency test',
    seal: async () => [],
  });
  server = await openToyHttp({
    routes: (app) => routes(app, db),
    settled: async () => {
      hasSettled += 1;
    },
  });
});

afterAll(async () => {
  await server.stop();
  await db.close();
  await admin.end();
  await database.drop();
});

beforeEach(async () => {
  hasSettled = 0;
  await admin.query(`TRUNCATE ${CONTEXT}.effects, ${CONTEXT}.idempotency_keys`);
});

const Made = Type.Object({ id: Type.Integer(), secret: Type.Optional(Type.String()) }, CLOSED);

function routes(app: HttpApp, on: Database): void {
  const body = Type.Object({ quantity: Quantity, how: Type.Optional(Type.String()) }, CLOSED);
  for (const [url, secret] of [
    ['/api/effects', false],
    ['/api/others', false],
    ['/api/secrets', true],
  ] as const) {
    write(app, {
      method: 'POST',
      url,
      access: 'signed-in',
      summary: 'Has an effect',
      schema: { body, response: { 201: Made, 204: Type.Null() } },
      db: on,
      secret,
      problems: { 'no-stock': 409 },
      async handle({ body: wanted }, tx) {
        if (wanted.how === 'refuse') return problem('no-stock', { detail: 'None left.', left: 0 }, { 'x-left': '0' });
        if (wanted.how === 'forbid') return problem('forbidden', { detail: 'Not you.' });
        if (wanted.how === 'break') await tx.query(DIVIDE, [0]);
        if (wanted.how === 'wait') await tx.query(WAIT_FOR_DOOR);
        const [row] = await tx.query<{ id: number }>(INSERT, [wanted.quantity]);
        if (wanted.how === 'say') tx.append([registered]);
        if (wanted.how === 'empty') return answer(204);
        const made = { id: row?.id ?? 0, secret: secret ? 'canary-secret' : undefined, leak: 'hidden' };
        return answer(201, made, { location: `/api/effects/${row?.id}` });
      },
    });
  }
}

const registered: Said = {
  type: 'identity.roles-changed.v1',
  key: 'k',
  subject: 's',
  data: { userId: randomUUID(), roles: [] },
};

type Sent = { readonly url?: string; readonly as?: string; readonly how?: string; readonly quantity?: number };

function send(key: string | undefined, { url = '/api/effects', as = 'customer', how, quantity = 1 }: Sent = {}) {
  const headers = { authorization: `Bearer ${as}`, ...(key === undefined ? {} : { 'idempotency-key': key }) };
  const payload = { quantity, ...(how === undefined ? {} : { how }) };
  return server.fastify.inject({ method: 'POST', url, headers, payload });
}

async function effects(): Promise<number> {
  const { rows } = await admin.query<{ count: string }>(`SELECT count(*) FROM ${CONTEXT}.effects`);
  return Number(rows[0]?.count);
}

function expectRepeat(repeat: LightMyRequestResponse, first: LightMyRequestResponse): void {
  expect(repeat.headers['idempotency-replayed']).toBe('true');
  expect(first.headers['idempotency-replayed']).toBeUndefined();
  expect([repeat.statusCode, repeat.body]).toEqual([first.statusCode, first.body]);
  expect(repeat.headers['content-type']).toBe(first.headers['content-type']);
  expect(repeat.headers.location).toBe(first.headers.location);
}

describe('given a request with a key', () => {
  it('when it is repeated, then the first answer comes again and there is one effect', async () => {
    const first = await send('a');
    expect(first.statusCode).toBe(201);
    expectRepeat(await send('a'), first);
    expectRepeat(await send('a'), first);
    expect(await effects()).toBe(1);
  });

  it('when it is repeated with its members in another order, then it is the same request', async () => {
    const headers = {
      authorization: 'Bearer customer',
      'idempotency-key': 'order',
      'content-type': 'application/json',
    };
    const url = '/api/effects';
    const first = await server.fastify.inject({ method: 'POST', url, headers, payload: '{"quantity":1,"how":"x"}' });
    const second = await server.fastify.inject({
      method: 'POST',
      url,
      headers,
      payload: '{ "how":"x", "quantity":1 }',
    });
    expectRepeat(second, first);
  });

  it('when the answer has no body, then neither has its repeat', async () => {
    const first = await send('empty', { how: 'empty' });
    expect(first.statusCode).toBe(204);
    expectRepeat(await send('empty', { how: 'empty' }), first);
    expect(await effects()).toBe(1);
  });

  it('when the key comes with another request, then it is 422 and nothing happens', async () => {
    await send('b');
    const other = await send('b', { quantity: 2 });
    expect([other.statusCode, other.json().type]).toEqual([422, '/problems/idempotency-key-reused']);
    expect(await effects()).toBe(1);
  });

  it('when another caller or another route has the same key, then it is another request', async () => {
    expect((await send('c')).statusCode).toBe(201);
    expect((await send('c', { as: 'staff' })).headers['idempotency-replayed']).toBe(undefined);
    expect((await send('c', { as: 'machine' })).headers['idempotency-replayed']).toBe(undefined);
    expect((await send('c', { url: '/api/others' })).headers['idempotency-replayed']).toBe(undefined);
    expect(await effects()).toBe(4);
  });

  it('when it was refused, then the refusal is its answer for good', async () => {
    const first = await send('d', { how: 'refuse' });
    expect(first.statusCode).toBe(409);
    expect(first.json()).toMatchObject({ type: '/problems/no-stock', left: 0 });
    const repeat = await send('d', { how: 'refuse' });
    expectRepeat(repeat, first);
    expect(repeat.headers['x-left']).toBe('0');
  });

  it.each([
    ['forbid', 403],
    ['break', 500],
  ])('when it ends as %s with %i, then nothing is kept and the key is free', async (how, status) => {
    expect((await send('e', { how })).statusCode).toBe(status);
    expect((await send('e', { how })).headers['idempotency-replayed']).toBeUndefined();
    expect((await send('e')).statusCode).toBe(201);
    expect(await effects()).toBe(1);
  });

  it('when the body is wrong, then nothing is kept', async () => {
    expect((await send('f', { quantity: 0 })).statusCode).toBe(400);
    expect((await send('f')).statusCode).toBe(201);
  });

  it('when there is no key, then each request has its effect', async () => {
    await send(undefined);
    await send(undefined);
    expect(await effects()).toBe(2);
  });

  it.each([0, 256])('when the key has %i characters, then it is 400', async (length) => {
    const key = 'x'.repeat(length);
    const { statusCode, body } = await send(key);
    expect(statusCode).toBe(400);
    expect(JSON.parse(body).errors).toEqual([expect.objectContaining({ pointer: '/headers/idempotency-key' })]);
    expect((await send('x'.repeat(255))).statusCode).toBe(201);
  });
});

describe('given a first request that still runs', () => {
  it('when it is repeated meanwhile, then that is 409 with Retry-After, and the first answer afterwards', async () => {
    await admin.query('SELECT pg_advisory_lock(4711)');
    const first = send('g', { how: 'wait' });
    await waiting();
    const meanwhile = await send('g', { how: 'wait' });
    expect([meanwhile.statusCode, meanwhile.json().type]).toEqual([409, '/problems/request-in-progress']);
    expect(meanwhile.headers['retry-after']).toBe('1');
    await admin.query('SELECT pg_advisory_unlock(4711)');
    const ended = await first;
    expectRepeat(await send('g', { how: 'wait' }), ended);
    expect(await effects()).toBe(1);
  });

  it('when its connection is killed, then it is 503, nothing happened, and it can be repeated at once', async () => {
    await admin.query('SELECT pg_advisory_lock(4711)');
    const first = send('h', { how: 'wait' });
    await waiting();
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'idempotency test' AND datname = current_database() AND wait_event = 'advisory'`,
    );
    const killed = await first;
    expect([killed.statusCode, killed.headers['retry-after']]).toEqual([503, '1']);
    await admin.query('SELECT pg_advisory_unlock(4711)');
    expect(await effects()).toBe(0);
    expect((await send('h', { how: 'wait' })).statusCode).toBe(201);
    expect(await effects()).toBe(1);
  });

  it('when fifty come at once with one key, then there is one effect and no failure', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => send('i')));
    const statuses = new Set(answers.map(({ statusCode }) => statusCode));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    expect(new Set(answers.filter(({ statusCode }) => statusCode === 201).map(({ body }) => body)).size).toBe(1);
    expect(await effects()).toBe(1);
  });
});

describe('given an answer that holds a secret', () => {
  it('when it is kept, then it is sealed in the table, and its repeat shows it again', async () => {
    const first = await send('j', { url: '/api/secrets' });
    expect(first.body).toContain('canary-secret');
    expectRepeat(await send('j', { url: '/api/secrets' }), first);
    const { rows } = await admin.query(`SELECT * FROM ${CONTEXT}.idempotency_keys`);
    expect(rows).toHaveLength(1);
    expect(rows[0].body).toBeNull();
    expect(rows[0].sealed_body.toString('latin1')).not.toContain('canary');
  });
});

describe('given an answer', () => {
  it('when it is kept, then without the members that the schema does not name', async () => {
    await send('k');
    const { rows } = await admin.query<{ body: string }>(`SELECT body FROM ${CONTEXT}.idempotency_keys`);
    expect(rows[0]?.body).not.toContain('hidden');
  });

  it('when something was said with the change, then it goes out after the others have heard it', async () => {
    await send('l', { how: 'say' });
    expect(hasSettled).toBe(1);
    await send('l', { how: 'say' });
    await send('m');
    expect(hasSettled).toBe(1);
  });

  it('when it is older than a day, then the purge forgets it, and only it', async () => {
    await send('old');
    await send('young');
    await admin.query(`UPDATE ${CONTEXT}.idempotency_keys SET kept_at = now() - interval '26 hours' WHERE key = 'old'`);
    expect(await purgeIdempotencyKeys(db)).toBe(1);
    expect(await purgeIdempotencyKeys(db)).toBe(0);
    expect((await send('young')).headers['idempotency-replayed']).toBe('true');
  });
});

/** Until some request of ours waits for the door. */
async function waiting(): Promise<void> {
  for (let rows = 0; rows === 0; ) {
    const found = await admin.query(
      `SELECT FROM pg_stat_activity
        WHERE application_name = 'idempotency test' AND datname = current_database() AND wait_event = 'advisory'`,
    );
    rows = found.rowCount ?? 0;
  }
}
