import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer, textOf } from './identity-server.ts';

let server: IdentityServer;
beforeAll(async () => {
  server = await openIdentityServer();
});
afterAll(() => server.close());

const MACHINE_ID = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11';
const UNKNOWN_ID = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b12';

function inTx<Value>(work: (tx: Parameters<typeof server.context.running.open.createClient>[0]) => Promise<Value>) {
  return server.context.running.db.withTx(work);
}

function create(wish: Parameters<typeof server.context.running.open.createClient>[1]) {
  return inTx((tx) => server.context.running.open.createClient(tx, wish, server.context.clock.now()));
}

function ask(
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
  more: Record<string, string> = {},
) {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...more };
  return server.form('/api/oauth/token', form);
}

async function credentials(wish: Parameters<typeof create>[0]) {
  const created = await create(wish);
  if (!created.ok) throw new Error(created.refusal.kind);
  return created.value;
}

describe('machine credentials', () => {
  it('given a machine, when its program asks for a token, then it speaks for the machine only', async () => {
    const secret = await credentials({ kind: 'machine', subject: MACHINE_ID, roles: ['manager'] });
    const answer = await ask(secret);
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect(decodeJwt(textOf(answer, 'access_token'))).toMatchObject({
      sub: MACHINE_ID,
      client_id: secret.clientId,
      roles: ['machine'],
      scope: 'api',
    });
    const me = await server.request('GET', '/api/users/me', { token: textOf(answer, 'access_token') });
    expect(me.status).toBe(403);
  });

  it('given HTTP Basic, when a token is asked for, then it is the same', async () => {
    const { clientId, clientSecret } = await credentials({ kind: 'confidential', roles: ['staff'] });
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const answer = await server.form('/api/oauth/token', { grant_type: 'client_credentials' }, { authorization });
    expect(answer.status).toBe(200);
    expect(decodeJwt(textOf(answer, 'access_token'))).toMatchObject({ sub: clientId, roles: ['staff'] });
  });

  it('given a machine with credentials, when more are made, then it is refused; after revoking it is not', async () => {
    const subject = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b21';
    const first = await credentials({ kind: 'machine', subject });
    expect(await create({ kind: 'machine', subject })).toEqual({
      ok: false,
      refusal: { kind: 'machine-has-credentials' },
    });
    const now = server.context.clock.now();
    expect(await inTx((tx) => server.context.running.open.revokeClient(tx, first.clientId, now))).toMatchObject({
      ok: true,
    });
    expect((await ask(await credentials({ kind: 'machine', subject }))).status).toBe(200);
    const revoked = await ask(first);
    expect([revoked.status, revoked.body['error']]).toEqual([401, 'invalid_client']);
    expect(await inTx((tx) => server.context.running.open.rotateClientSecret(tx, first.clientId, now))).toMatchObject({
      refusal: { kind: 'client-revoked' },
    });
  });

  it('given a rotated secret, when the old one is used, then it has ended at once', async () => {
    const old = await credentials({ kind: 'confidential', roles: ['staff'] });
    const now = server.context.clock.now();
    const rotated = await inTx((tx) => server.context.running.open.rotateClientSecret(tx, old.clientId, now));
    if (!rotated.ok) throw new Error(rotated.refusal.kind);
    expect((await ask(old)).status).toBe(401);
    expect((await ask(rotated.value)).status).toBe(200);
  });

  it('given no client of that id, when rotated or revoked, then it is refused', async () => {
    const { rotateClientSecret, revokeClient } = server.context.running.open;
    const now = server.context.clock.now();
    const unknown = { ok: false, refusal: { kind: 'unknown-client' } };
    expect(await inTx((tx) => rotateClientSecret(tx, UNKNOWN_ID, now))).toEqual(unknown);
    expect(await inTx((tx) => revokeClient(tx, UNKNOWN_ID, now))).toEqual(unknown);
  });

  it('given a program that could do nothing, when made, then it is refused', async () => {
    expect(await create({ kind: 'confidential' })).toEqual({ ok: false, refusal: { kind: 'client-without-roles' } });
  });

  it.each([
    ['a wrong secret', {}, { client_secret: 'wrong' }],
    ['the hash for the secret', {}, { client_secret: '{hash}' }],
    ['no secret', {}, { client_secret: '' }],
    ['an unknown client', {}, { client_id: UNKNOWN_ID }],
    ['a client that is no id', {}, { client_id: 'x\0' }],
  ])('given %s, when a token is asked for, then the client is not known', async (_case, _none, change) => {
    const secret = await credentials({ kind: 'confidential', roles: ['staff'] });
    const [row] = await server.context.sql<{ hash: Buffer }>(
      'SELECT secret_hash AS hash FROM identity.clients WHERE id = $1',
      [secret.clientId],
    );
    const more = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [
        name,
        value.replace('{hash}', `${row?.hash.toString('base64url')}`),
      ]),
    );
    const answer = await ask(secret, more);
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
  });

  it('given a client of its own, when it tries a password or a foreign refresh token, then it is refused', async () => {
    const { clientId, clientSecret } = await credentials({ kind: 'confidential', roles: ['staff'] });
    const own = { client_id: clientId, client_secret: clientSecret };
    const password = { ...own, grant_type: 'password', username: 'customer@example.com', password: 'test' };
    expect((await server.form('/api/oauth/token', password)).status).toBe(400);
    const { refresh_token } = await server.signIn('customer@example.com');
    expect((await server.form('/api/oauth/token', { ...own, grant_type: 'refresh_token', refresh_token })).status).toBe(
      400,
    );
    expect((await server.form('/api/oauth/revoke', { ...own, token: refresh_token })).status).toBe(200);
    expect((await server.refresh(refresh_token)).status).toBe(200);
  });

  it('given our own public client, when it asks for client credentials, then it is refused', async () => {
    const nobody = await server.form('/api/oauth/token', { grant_type: 'client_credentials' });
    expect(nobody).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('given the database, when it is read, then no secret stands in it', async () => {
    const { clientSecret } = await credentials({ kind: 'confidential', roles: ['staff'] });
    const rows = await server.context.sql<{ text: string }>('SELECT clients::text AS text FROM identity.clients');
    expect(rows.map((row) => row.text).join('\n')).not.toContain(clientSecret);
  });
});
