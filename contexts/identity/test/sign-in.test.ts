import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer } from './identity-server.ts';

let server: IdentityServer;
beforeAll(async () => {
  server = await openIdentityServer();
});
afterAll(() => server.close());
afterEach(() => server.context.sql('DELETE FROM identity.sign_in_failures'));

const CUSTOMER = 'customer@example.com';

function password(username: string, word: string, more: Record<string, string> = {}) {
  return server.form('/api/oauth/token', { grant_type: 'password', username, password: word, ...more });
}

describe('signing in', () => {
  it('given the right password, when signing in without a client, then tokens come as RFC 6749 says', async () => {
    const answer = await password(CUSTOMER, 'test');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
      scope: 'api',
    });
  });

  it('given the client named, or the address in capitals, when signing in, then it is the same', async () => {
    expect((await password(CUSTOMER, 'test', { client_id: 'provender' })).status).toBe(200);
    expect((await password('CUSTOMER@Example.com', 'test')).status).toBe(200);
    expect((await password(CUSTOMER, 'test', { scope: 'api' })).body).toMatchObject({ scope: 'api' });
  });

  it.each([
    ['a wrong password', { username: CUSTOMER, password: 'tost' }, 400, 'invalid_grant'],
    ['an unknown address', { username: 'nobody@example.com', password: 'test' }, 400, 'invalid_grant'],
    ['NUL in the address', { username: 'customer@example.com\0', password: 'test' }, 400, 'invalid_grant'],
    ['SQL for an address', { username: "' OR 1=1 --", password: 'test' }, 400, 'invalid_grant'],
    ['a password of 10,000 signs', { username: CUSTOMER, password: 'x'.repeat(10_000) }, 400, 'invalid_grant'],
    ['no password', { username: CUSTOMER }, 400, 'invalid_request'],
    ['no address', { password: 'test' }, 400, 'invalid_request'],
    ['an unknown scope', { username: CUSTOMER, password: 'test', scope: 'everything' }, 400, 'invalid_scope'],
    ['an unknown client', { username: CUSTOMER, password: 'test', client_id: 'nobody' }, 401, 'invalid_client'],
  ])('given %s, when signing in, then the error is RFC 6749’s', async (_case, form, status, error) => {
    const answer = await server.form('/api/oauth/token', { grant_type: 'password', ...form });
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
    expect(Object.keys(answer.body)).not.toContain('type');
  });

  it.each([
    ['no grant type', {}, 'invalid_request'],
    ['an unknown grant type', { grant_type: 'implicit' }, 'unsupported_grant_type'],
  ])('given %s, when a token is asked for, then it is refused', async (_case, form, error) => {
    const answer = await server.form('/api/oauth/token', form);
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
  });

  it('given JSON, or no body at all, when a token is asked for, then the error is RFC 6749’s too', async () => {
    const json = await server.request('POST', '/api/oauth/token', { body: { grant_type: 'password' } });
    expect([json.status, json.body['error']]).toEqual([415, 'invalid_request']);
    const huge = await server.form('/api/oauth/token', `password=${'x'.repeat(300_000)}`);
    expect([huge.status, huge.body['error']]).toEqual([413, 'invalid_request']);
    const nothing = await server.request('POST', '/api/oauth/token');
    expect([nothing.status, nothing.body['error']]).toEqual([400, 'invalid_request']);
  });

  it('given a bearer token beside the form, when signing in, then it does not disturb', async () => {
    const form = { grant_type: 'password', username: CUSTOMER, password: 'test' };
    expect((await server.form('/api/oauth/token', form, { authorization: 'Bearer old' })).status).toBe(200);
  });

  it('given a field sent twice, when a token is asked for, then it is refused', async () => {
    const body = 'grant_type=password&username=a&username=b&password=test';
    const answer = await server.form('/api/oauth/token', body);
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });

  it('given an unknown address, when signing in, then answer and time are those of a wrong password', async () => {
    await password(CUSTOMER, 'warm up');
    const [known, unknown] = [await timed(CUSTOMER), await timed('nobody@example.com')];
    expect(known.body).toEqual(unknown.body);
    // Hashing dominates both; without it the unknown would be ten times as fast.
    expect(unknown.fastest).toBeGreaterThan(known.fastest * 0.5);
  });
});

describe('a broken machine', () => {
  it('given a table that is away, when signing in, then it is 500 and tells nothing of it', async () => {
    await server.context.sql('ALTER TABLE identity.artifacts RENAME TO away');
    const answer = await password(CUSTOMER, 'test');
    await server.context.sql('ALTER TABLE identity.away RENAME TO artifacts');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/artifacts|relation|INSERT/);
    expect((await password(CUSTOMER, 'test')).status).toBe(200);
  });
});

async function timed(username: string) {
  let fastest = Number.POSITIVE_INFINITY;
  let body: unknown;
  for (let round = 0; round < 4; round += 1) {
    const start = performance.now();
    ({ body } = await password(username, 'wrong'));
    fastest = Math.min(fastest, performance.now() - start);
  }
  return { fastest, body };
}

describe('backing off', () => {
  async function fail(times: number, username = CUSTOMER) {
    for (let round = 0; round < times; round += 1) await password(username, 'wrong');
  }

  it('given ten wrong passwords, when the right one comes at once, then it is 429 with Retry-After', async () => {
    await fail(10);
    const answer = await password(CUSTOMER, 'test');
    expect([answer.status, answer.body['error']]).toEqual([429, 'temporarily_unavailable']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  it('given ten wrong passwords, when the wait is over, then the right one is taken, the count cleared', async () => {
    await fail(10);
    await server.context.sql("UPDATE identity.sign_in_failures SET last_failed_at = now() - interval '2 seconds'");
    expect((await password(CUSTOMER, 'test')).status).toBe(200);
    const left = await server.context.sql('SELECT failures FROM identity.sign_in_failures');
    expect(left).toEqual([{ failures: 10 }]);
    expect((await password(CUSTOMER, 'wrong')).status).toBe(400);
  });

  it('given ten wrong passwords for one account, when another signs in, then it may', async () => {
    await fail(10);
    expect((await password('staff@example.com', 'test')).status).toBe(200);
  });

  it('given an unknown address, when it fails ten times, then it backs off as a known one does', async () => {
    await fail(10, 'nobody@example.com');
    expect((await password('nobody@example.com', 'wrong')).status).toBe(429);
  });

  it('given forty guesses at once, when they are over, then hardly more than ten were tried', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => password(CUSTOMER, 'wrong')));
    const tried = answers.filter((answer) => answer.status === 400).length;
    expect(tried).toBeGreaterThanOrEqual(10);
    expect(tried).toBeLessThanOrEqual(12);
  });

  it('given an hour without a failure, when it fails again, then counting starts anew', async () => {
    await fail(10);
    await server.context.sql("UPDATE identity.sign_in_failures SET last_failed_at = now() - interval '61 minutes'");
    expect((await password(CUSTOMER, 'wrong')).status).toBe(400);
    const counts = await server.context.sql('SELECT DISTINCT failures FROM identity.sign_in_failures');
    expect(counts).toEqual([{ failures: 1 }]);
  });
});

describe('documents', () => {
  it('given anybody, when the keys are asked for, then they are public halves only', async () => {
    const { status, body } = await server.request('GET', '/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(body).toEqual({
      keys: [{ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: expect.any(String), alg: 'EdDSA', use: 'sig' }],
    });
    expect((await server.context.running.open.jwks()).keys).toEqual(body['keys']);
  });

  it('given anybody, when the metadata is asked for, then it names what there is, under the issuer', async () => {
    const { status, body } = await server.request('GET', '/.well-known/oauth-authorization-server');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issuer: 'http://127.0.0.1:3000',
      token_endpoint: 'http://127.0.0.1:3000/api/oauth/token',
      revocation_endpoint: 'http://127.0.0.1:3000/api/oauth/revoke',
      jwks_uri: 'http://127.0.0.1:3000/.well-known/jwks.json',
      scopes_supported: ['api'],
    });
    expect(body).not.toHaveProperty('authorization_endpoint');
    expect(body['grant_types_supported']).toEqual(
      expect.arrayContaining(['password', 'refresh_token', 'client_credentials']),
    );
  });
});
