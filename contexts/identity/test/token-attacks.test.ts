import { createHmac, generateKeyPairSync } from 'node:crypto';
import { ACCESS_TOKEN_AUDIENCE } from '@provender/contracts';
import {
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer, textOf, type Tokens } from './identity-server.ts';

let server: IdentityServer;
let tokens: Tokens;
let privateJwk: JWK;

beforeAll(async () => {
  server = await openIdentityServer();
  tokens = await server.signIn('customer@example.com');
  const [row] = await server.context.sql<{ private_jwk: JWK }>('SELECT private_jwk FROM identity.signing_keys');
  privateJwk = row?.private_jwk ?? {};
});
afterAll(() => server.close());

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = () => Math.floor(Date.now() / 1_000);

function publicJwk(): JWK {
  const { d: _secret, ...publicHalf } = privateJwk;
  return publicHalf;
}

/** What the customer's own token says, with some of it changed. */
function claims(changes: Record<string, unknown> = {}) {
  return { ...decodeJwt(tokens.access_token), ...changes };
}

async function signed(payload: object, header: Partial<JWTHeaderParameters> = {}, jwk: JWK = privateJwk) {
  const protectedHeader = {
    alg: 'EdDSA',
    typ: 'at+jwt',
    ...(jwk.kid === undefined ? {} : { kid: jwk.kid }),
    ...header,
  };
  return new SignJWT({ ...payload }).setProtectedHeader(protectedHeader).sign(await importJWK(jwk, 'EdDSA'));
}

/** A key pair of the attacker, under whatever key id. */
function foreignJwk(kid: string): JWK {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' };
}

function withoutKid({ kid: _kid, ...jwk }: JWK): JWK {
  return jwk;
}

function hmacToken(secret: string | Buffer, algorithm = 'HS256'): string {
  const header = encode({ alg: algorithm, typ: 'at+jwt', kid: privateJwk.kid });
  const content = `${header}.${encode(claims({ roles: ['manager'] }))}`;
  const signature = createHmac(algorithm === 'HS256' ? 'sha256' : 'sha512', secret)
    .update(content)
    .digest('base64url');
  return `${content}.${signature}`;
}

async function publicPem(): Promise<string> {
  const key = await importJWK(publicJwk(), 'EdDSA', { extractable: true });
  if (key instanceof Uint8Array) throw new Error('An Ed25519 key is no secret key');
  return exportSPKI(key);
}

const attacks: Record<string, () => string | Promise<string>> = {
  'no signature, alg none': () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims())}.`,
  'alg None in other letters': () => `${encode({ alg: 'nOnE', typ: 'at+jwt' })}.${encode(claims())}.`,
  'alg none with the true signature': () => {
    const [, payload, signature] = tokens.access_token.split('.');
    return `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.${signature}`;
  },
  'HS256 keyed with the public key as PEM': async () => hmacToken(await publicPem()),
  'HS256 keyed with the public key as JSON': () => hmacToken(JSON.stringify(publicJwk())),
  'HS256 keyed with the bytes of the public key': () => hmacToken(Buffer.from(publicJwk().x ?? '', 'base64url')),
  'HS512 keyed with the bytes of the public key': () =>
    hmacToken(Buffer.from(publicJwk().x ?? '', 'base64url'), 'HS512'),
  'HS256 with an empty key': () => hmacToken(''),
  'a key of the attacker under our kid': () => signed(claims(), {}, foreignJwk(privateJwk.kid ?? '')),
  'a key of the attacker without a kid': () => signed(claims(), {}, withoutKid(foreignJwk(''))),
  'a kid that is a path': () => signed(claims(), {}, foreignJwk('../../../dev/null')),
  'a kid that is SQL': () => signed(claims(), {}, foreignJwk("' OR '1'='1")),
  'a kid that is a name of every object': () => signed(claims(), {}, foreignJwk('__proto__')),
  'a key of the attacker inside the token': () => {
    const jwk = foreignJwk('own');
    const { d: _secret, ...publicHalf } = jwk;
    return signed(claims(), { jwk: publicHalf }, jwk);
  },
  'an address of keys inside the token': () =>
    signed(claims(), { jku: 'http://127.0.0.1:9/jwks.json' }, foreignJwk('own')),
  'an unknown critical header': async () => {
    const header = encode({ alg: 'EdDSA', typ: 'at+jwt', kid: privateJwk.kid, crit: ['x'], x: 1 });
    return `${header}.${tokens.access_token.split('.').slice(1).join('.')}`;
  },
  'another issuer': () => signed(claims({ iss: 'https://elsewhere.example' })),
  'no issuer': () => signed(claims({ iss: undefined })),
  'another audience': () => signed(claims({ aud: 'urn:elsewhere:api' })),
  'no audience': () => signed(claims({ aud: undefined })),
  'no subject': () => signed(claims({ sub: undefined })),
  'no roles': () => signed(claims({ roles: undefined })),
  'no end': () => signed(claims({ exp: undefined })),
  'over an hour ago': () => signed(claims({ iat: nowSeconds() - 4_500, exp: nowSeconds() - 3_600 })),
  'not yet valid': () => signed(claims({ nbf: nowSeconds() + 3_600 })),
  'typ JWT, as an identity token would be': () => signed(claims(), { typ: 'JWT' }),
  'the payload changed under the old signature': () => {
    const [header, , signature] = tokens.access_token.split('.');
    return `${header}.${encode(claims({ roles: ['manager'] }))}.${signature}`;
  },
  'the last letter of the signature changed': () => {
    const last = tokens.access_token.at(-3) === 'A' ? 'B' : 'A';
    return `${tokens.access_token.slice(0, -3)}${last}${tokens.access_token.slice(-2)}`;
  },
  'a refresh token': () => tokens.refresh_token,
  'two dots': () => '..',
  'a very long text': () => 'a'.repeat(5_000),
};

describe('access tokens', () => {
  it('given the token of a sign-in, when it is looked into, then it is what RFC 9068 says', () => {
    const { iat = 0, exp = 0, ...payload } = decodeJwt(tokens.access_token);
    expect(decodeProtectedHeader(tokens.access_token)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: privateJwk.kid });
    expect(payload).toEqual({
      iss: 'http://127.0.0.1:3000',
      aud: ACCESS_TOKEN_AUDIENCE,
      sub: server.people['customer@example.com']?.id,
      client_id: 'provender',
      scope: 'api',
      roles: ['customer'],
      jti: expect.any(String),
    });
    expect(exp - iat).toBe(900);
  });

  it('given the true key and claims, when a token is signed by hand, then it holds', async () => {
    const answer = await server.request('GET', '/api/users/me', { token: await signed(claims()) });
    expect(answer.status).toBe(200);
  });

  it.each(Object.entries(attacks))('given %s, when it is used, then it is 401', async (_name, forge) => {
    const token = await forge();
    for (const url of ['/api/users/me', '/api/users']) {
      const answer = await server.request('GET', url, { token });
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ type: '/problems/unauthenticated' });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });
});

describe('refresh tokens', () => {
  it('given a refresh token, when it is used, then the next one comes with the roles of now', async () => {
    const first = await server.signIn('customer@example.com');
    const second = await server.refresh(first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.body['refresh_token']).not.toBe(first.refresh_token);
    expect(decodeJwt(textOf(second, 'access_token'))).toMatchObject({ roles: ['customer'], scope: 'api' });
  });

  it('given a user whose roles have changed, when they refresh, then the new token has the new roles', async () => {
    const first = await server.signIn('staff@example.com');
    const manager = await server.signIn('manager@example.com');
    const url = `/api/users/${server.people['staff@example.com']?.id}/roles`;
    await server.request('PUT', url, { token: manager.access_token, body: { roles: ['customer'] } });
    const second = await server.refresh(first.refresh_token);
    expect(decodeJwt(textOf(second, 'access_token'))).toMatchObject({ roles: ['customer'] });
  });

  it('given a refresh token or its grant has ended, when it is used, then it is refused', async () => {
    for (const model of ['RefreshToken', 'Grant']) {
      const first = await server.signIn('customer@example.com');
      const over = `jsonb_set(payload, '{exp}', to_jsonb(${nowSeconds() - 60}))`;
      await server.context.sql(`UPDATE identity.artifacts SET payload = ${over} WHERE model = $1`, [model]);
      const answer = await server.refresh(first.refresh_token);
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant']);
      await server.context.sql('DELETE FROM identity.artifacts');
    }
  });

  it('given a refresh token used twice, when its heir is used, then the whole family has ended', async () => {
    const first = await server.signIn('customer@example.com');
    const second = await server.refresh(first.refresh_token);
    const reused = await server.refresh(first.refresh_token);
    expect([reused.status, reused.body['error']]).toEqual([400, 'invalid_grant']);
    const heir = await server.refresh(textOf(second, 'refresh_token'));
    expect([heir.status, heir.body['error']]).toEqual([400, 'invalid_grant']);
  });

  it('given one family ended, when another sign-in of the same user refreshes, then it may', async () => {
    const [stolen, other] = [await server.signIn('customer@example.com'), await server.signIn('customer@example.com')];
    await server.refresh(stolen.refresh_token);
    await server.refresh(stolen.refresh_token);
    expect((await server.refresh(other.refresh_token)).status).toBe(200);
  });

  it('given 20 uses of one refresh token at once, when over, then one at most won and no heir works', async () => {
    const first = await server.signIn('customer@example.com');
    const uses = await Promise.all(Array.from({ length: 20 }, () => server.refresh(first.refresh_token)));
    const won = uses.filter((use) => use.status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    expect(uses.filter((use) => use.status !== 200).every((use) => use.body['error'] === 'invalid_grant')).toBe(true);
    for (const winner of won) expect((await server.refresh(textOf(winner, 'refresh_token'))).status).toBe(400);
  });

  it('given a revoked refresh token, when it or its heir is used, then the family has ended', async () => {
    const first = await server.signIn('customer@example.com');
    const second = await server.refresh(first.refresh_token);
    const revoked = await server.form('/api/oauth/revoke', { token: textOf(second, 'refresh_token') });
    expect(revoked.status).toBe(200);
    expect((await server.refresh(textOf(second, 'refresh_token'))).status).toBe(400);
  });

  it('given an unknown token, when it is revoked, then that is fine (RFC 7009)', async () => {
    expect((await server.form('/api/oauth/revoke', { token: 'never-given-out' })).status).toBe(200);
  });

  it.each(['', 'x', 'a'.repeat(4_000), '\0', '../../etc/passwd', "' OR 1=1 --"])(
    'given %j for a refresh token, when it is used, then it is refused',
    async (token) => {
      const answer = await server.refresh(token);
      expect(answer.status).toBe(400);
      expect(answer.body['error']).toMatch(/^invalid_(grant|request)$/);
    },
  );

  it('given an access token, when it is used to refresh, then it is refused', async () => {
    expect((await server.refresh(tokens.access_token)).body['error']).toBe('invalid_grant');
  });

  it('given the database, when it is read, then no token stands in it', async () => {
    const first = await server.signIn('customer@example.com');
    const rows = await server.context.sql<{ text: string }>('SELECT artifacts::text AS text FROM identity.artifacts');
    const all = rows.map((row) => row.text).join('\n');
    expect(all).not.toContain(first.refresh_token);
    expect(all).not.toContain(first.access_token);
  });
});
