import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server as HttpServer } from 'node:http';
import { ACCESS_TOKEN_AUDIENCE, CONTEXT_NAMES, type ContextName, ROUTE_PREFIXES } from '@provender/contracts';
import { instant } from '@provender/kernel';
import { manualClock, readSettings } from '@provender/platform';
import { createTestDatabase, type TestDatabase } from '@provender/platform/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openServer, type Server } from '../src/index.ts';

// Processes that run some of the contexts. Nobody carries their events here: each does its own without the others.

const ISSUER = 'https://shop.example';
const CUSTOMER = '019a0000-0000-7000-8007-000000000003';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

let database: TestDatabase;
let identity: HttpServer;
let keysUrl: string;
let server: Server | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'EdDSA', use: 'sig' };
  identity = createServer((_request, response) => response.end(JSON.stringify({ keys: [key] })));
  await new Promise<void>((resolve) => identity.listen(0, '127.0.0.1', resolve));
  const address = identity.address();
  keysUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/keys`;
});
afterEach(() => stop());
afterAll(async () => {
  identity.close();
  await database.drop();
});

async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}

async function start(env: Readonly<Record<string, string>>, url = database.url): Promise<Server> {
  const settings = readSettings({
    ...{ PORT: '0', MQTT_PORT: '0', RATE_LIMIT: 'off', LOG_LEVEL: 'silent', PUBLIC_URL: ISSUER },
    ...{ TOKEN_KEYS_URL: keysUrl, ...env },
  });
  if (!settings.ok) throw new Error(settings.problems.join('\n'));
  const clock = manualClock(instant(Date.parse('2026-11-21T08:00:00.000Z')));
  server = await openServer({ settings: settings.value, databaseUrl: url, clock });
  await server.start({ timers: false });
  return server;
}

function token(kid = 'one'): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const claims = { iss: ISSUER, aud: ACCESS_TOKEN_AUDIENCE, sub: CUSTOMER, roles: ['customer'] };
  const parts = [
    { alg: 'EdDSA', typ: 'at+jwt', kid },
    { ...claims, iat: seconds, exp: seconds + 60 },
  ];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

async function call(url: string, bearer?: string): Promise<{ status: number; headers: object; body: () => object }> {
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const answer = await (server as Server).http.fastify.inject({ url, headers });
  return { status: answer.statusCode, headers: answer.headers, body: () => answer.json<object>() };
}

async function rows(text: string, url = database.url): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ name: string }>(text)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

const SCHEMAS = "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information' ORDER BY 1";

/** Kafka that is not there: what a process can do, it does without. */
const APART = { EVENTS: 'kafka', KAFKA_BROKERS: '127.0.0.1:1' };

describe('a process that runs the bank alone, with a database of its own', () => {
  test('given an empty database, when it starts, then only the bank is in it and it does what the bank can', async () => {
    await start({ ...APART, CONTEXTS: 'bank' });

    expect(await rows(SCHEMAS)).toEqual(['bank', 'platform', 'public']);
    expect((await call('/health/ready')).status).toBe(200);
    expect((await call('/metrics')).status).toBe(200);
    const account = await call('/api/bank/accounts/me', token());
    // Its part of the demo town: the customer's first money, though nobody has told it of the customer yet.
    expect({ status: account.status, body: account.body() }).toMatchObject({
      status: 200,
      body: { id: CUSTOMER, balance: { amount: 10_000 } },
    });
    expect((await call('/api/orders', token())).status).toBe(404);
    expect((await call('/api/verify', token())).status, 'it cannot see the others').toBe(404);
    const document = (await call('/openapi.json')).body() as { paths: Record<string, object> };
    const tags = Object.values(document.paths).flatMap((path) => Object.values(path) as { tags?: string[] }[]);
    expect(new Set(tags.flatMap((operation) => operation.tags))).toEqual(new Set(['bank', 'operations']));
  });

  test('given identity is away, when the bank starts again, then it verifies tokens by the keys that it had', async () => {
    identity.close();
    identity.closeAllConnections();
    await start({ ...APART, CONTEXTS: 'bank' });
    expect((await call('/api/bank/accounts/me', token())).status).toBe(200);
    expect((await call('/api/bank/accounts/me', token('unknown'))).status).toBe(401);
    expect((await call('/api/bank/accounts/me', token())).status, 'who asked wrongly changed nothing').toBe(200);
  });

  test('given identity is away, when a bank starts that never had keys, then it says 503 and when to come again', async () => {
    const empty = await createTestDatabase();
    await start({ ...APART, CONTEXTS: 'bank' }, empty.url);
    const answer = await call('/api/bank/accounts/me', token());
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    await stop();
    await empty.drop();
  });
});

describe('processes that share a database', () => {
  test('given an empty one, when some contexts start, then they find the logs of all, and show their own routes', async () => {
    const shared = await createTestDatabase();
    await start({ CONTEXTS: 'orders,bank', PROVENDER_DEMO: 'off' }, shared.url);
    expect(await rows(SCHEMAS, shared.url)).toEqual([...CONTEXT_NAMES, 'platform', 'public'].sort());
    expect((await call('/health/ready')).status).toBe(200);
    expect((await call('/api/menu?siteId=019a0000-0000-7000-8001-000000000001')).status).toBe(404);
    expect((await call('/api/orders')).status).toBe(401);
    await stop();
    await shared.drop();
  });
});

describe('the table of where routes begin', () => {
  /** What every process answers, whatever runs in it. */
  const EVERYWHERE = /^\/(api\/(events|verify)(\/|$)|health\/|metrics$|docs|openapi|asyncapi|$)/;

  function ownerOf(url: string): ContextName | undefined {
    return CONTEXT_NAMES.find((name) =>
      ROUTE_PREFIXES[name].some((prefix) => url === prefix || url.startsWith(`${prefix}/`)),
    );
  }

  test.each(CONTEXT_NAMES)(
    'given %s, when its routes are listed, then the gateway sends all of them to it',
    async (name) => {
      const own = await createTestDatabase();
      const { http } = await start({ ...APART, CONTEXTS: name, PROVENDER_DEMO: 'off' }, own.url);
      const urls = http.routes().flatMap(({ url }) => (EVERYWHERE.test(url) ? [] : [url]));
      expect(urls.length).toBeGreaterThan(0);
      expect(urls.filter((url) => ownerOf(url) !== name)).toEqual([]);
      await stop();
      await own.drop();
    },
  );

  test('given two contexts, when their beginnings are compared, then none is within another one', () => {
    const all = Object.values(ROUTE_PREFIXES).flat();
    const within = all.filter((one) => all.some((other) => one !== other && one.startsWith(`${other}/`)));
    expect(within).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
  });
});
