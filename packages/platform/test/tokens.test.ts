import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTokenVerifier, publishedKeys, type VerifyToken } from '../src/http/index.ts';
import { knownTokens } from '../src/http/tokens.ts';
import { createLogger } from '../src/logger.ts';

const ISSUER = 'https://shop.example';
const AUDIENCE = 'provender';
const PERSON = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11';

type Pair = { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };

let pair: Pair;
let keys: JWK[];
let asked = 0;
let verify: VerifyToken;

beforeAll(async () => {
  pair = await generateKeyPair('Ed25519', { extractable: true });
  keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'first', alg: 'Ed25519', use: 'sig' }];
  verify = createTokenVerifier({ jwks: async () => published(), issuer: () => ISSUER, audience: AUDIENCE });
});

function published() {
  asked += 1;
  return { keys };
}

type Made = {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: { readonly alg?: string; readonly typ?: string; readonly kid?: string };
  readonly key?: CryptoKey | Uint8Array;
};

function token({ claims = {}, header = {}, key = pair.privateKey }: Made = {}): Promise<string> {
  const seconds = Math.floor(Date.now() / 1_000);
  const standard = { iss: ISSUER, aud: AUDIENCE, sub: PERSON, roles: ['staff'], iat: seconds, exp: seconds + 60 };
  return new SignJWT({ ...standard, ...claims })
    .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt', kid: 'first', ...header })
    .sign(key);
}

describe('given an access token', () => {
  it('when it is ours, then it tells the person and the roles that we know', async () => {
    const told = await verify(await token({ claims: { roles: ['staff', 'emperor'] } }));
    expect(told?.caller).toEqual({ kind: 'user', id: PERSON, roles: ['staff'] });
    expect(told?.expiresAt).toBeGreaterThan(Date.now());
  });

  it('when it is of a machine, then it is nothing beside', async () => {
    const told = await verify(await token({ claims: { roles: ['machine', 'manager'] } }));
    expect(told?.caller).toEqual({ kind: 'machine', id: PERSON });
  });

  it.each<[string, Made]>([
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another audience', { claims: { aud: 'somebody-else' } }],
    ['no subject', { claims: { sub: undefined } }],
    ['no roles', { claims: { roles: undefined } }],
    ['roles that are no list', { claims: { roles: 'manager' } }],
    ['an end in the past', { claims: { exp: Math.floor(Date.now() / 1_000) - 60 } }],
    ['no end', { claims: { exp: undefined } }],
    ['a beginning in the future', { claims: { nbf: Math.floor(Date.now() / 1_000) + 60 } }],
    ['the type of an ID token', { header: { typ: 'JWT' } }],
    ['a key id that is a path', { header: { kid: '../../../dev/null' } }],
  ])('when it has %s, then it is not one of ours', async (_what, made) => {
    expect(await verify(await token(made))).toBeUndefined();
  });

  it('when it is signed by another key, then it is not one of ours', async () => {
    const other = await generateKeyPair('Ed25519');
    expect(await verify(await token({ key: other.privateKey }))).toBeUndefined();
  });

  it('when the public key is used as an HMAC secret, or no signature at all, then it is not one of ours', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(pair.publicKey));
    expect(await verify(await token({ header: { alg: 'HS256' }, key: secret }))).toBeUndefined();
    const claims = Buffer.from(JSON.stringify({ iss: ISSUER, aud: AUDIENCE, sub: PERSON, exp: 9e9 })).toString(
      'base64url',
    );
    const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    expect(await verify(`${header}.${claims}.`)).toBeUndefined();
  });

  it.each(['', 'a', 'a.b.c', '.'.repeat(9_000), '{}'])('when it is %j, then it is not one of ours', async (text) => {
    expect(await verify(text)).toBeUndefined();
  });

  it('when its key is new, then the keys are asked for again, but not for every unknown one', async () => {
    const next = await generateKeyPair('Ed25519', { extractable: true });
    let count = 0;
    let isRotated = false;
    const added: JWK = { ...(await exportJWK(next.publicKey)), kid: 'second', alg: 'Ed25519', use: 'sig' };
    const fresh = createTokenVerifier({
      jwks: async () => {
        count += 1;
        return { keys: isRotated ? [...keys, added] : keys };
      },
      issuer: () => ISSUER,
      audience: AUDIENCE,
      askAgainAfterMilliseconds: 0,
    });
    expect(await fresh(await token())).toBeDefined();
    isRotated = true;
    expect(await fresh(await token({ key: next.privateKey, header: { kid: 'second' } }))).toBeDefined();
    expect(count).toBe(2);

    const before = asked;
    for (let index = 0; index < 20; index += 1) await verify(await token({ header: { kid: `unknown-${index}` } }));
    expect(asked - before).toBeLessThanOrEqual(1);
  });

  it('when the keys cannot be had, then that is a failure, no refusal, and the next token tries again', async () => {
    let isAway = true;
    const unsure = createTokenVerifier({
      jwks: async () => {
        if (isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
        return { keys };
      },
      issuer: () => ISSUER,
      audience: AUDIENCE,
    });
    await expect(unsure(await token())).rejects.toThrow('away');
    isAway = false;
    expect(await unsure(await token())).toBeDefined();
  });
});

describe('given an issuer that has gone away', () => {
  it('when tokens come, of known keys and of unknown ones, then the keys that were had last go on being good', async () => {
    let isAway = false;
    const cautious = createTokenVerifier({
      jwks: async () => {
        if (isAway) throw new Error('away');
        return { keys };
      },
      issuer: () => ISSUER,
      audience: AUDIENCE,
      askAgainAfterMilliseconds: 0,
      keysAgeMilliseconds: 0,
    });
    expect(await cautious(await token())).toBeDefined();
    isAway = true;
    expect(await cautious(await token({ header: { kid: 'unknown' } }))).toBeUndefined();
    expect(await cautious(await token())).toBeDefined();
  });

  it('when the process has begun anew, then it takes the keys that it kept, and only keys', async () => {
    const shelf = new Map<string, { keys: JWK[] }>();
    let answer = JSON.stringify({ keys });
    const server = createServer((_request, response) => response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const published = publishedKeys({
      url: () => `http://127.0.0.1:${port}/`,
      issuer: () => ISSUER,
      shelf: { kept: async (issuer) => shelf.get(issuer), keep: async (issuer, kept) => void shelf.set(issuer, kept) },
      log: createLogger('silent'),
    });
    await expect(published()).resolves.toEqual({ keys });
    for (const wrong of ['{"keys":[]}', '{}', 'no JSON', '{"keys":["text"]}']) {
      answer = wrong;
      await expect(published()).resolves.toEqual({ keys });
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(published()).resolves.toEqual({ keys });
    shelf.clear();
    await expect(published()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('given tokens that were verified before', () => {
  it('when one comes again, then its signature is not checked again, until it expires', async () => {
    const caller = { kind: 'machine', id: PERSON } as const;
    const tokens = knownTokens(async (text) => ({ caller, expiresAt: Date.now() + (text === 'short' ? -1 : 60_000) }));
    expect(tokens.known('long')).toBeUndefined();
    await tokens.verify('long');
    await tokens.verify('short');
    expect(tokens.known('long')).toEqual(caller);
    expect(tokens.known('short')).toBeUndefined();
  });

  it('when there are more than are remembered, then the oldest are forgotten', async () => {
    const caller = { kind: 'machine', id: PERSON } as const;
    const tokens = knownTokens(async () => ({ caller, expiresAt: Date.now() + 60_000 }));
    for (let index = 0; index <= 10_000; index += 1) await tokens.verify(`${index}`);
    expect(tokens.known('0')).toBeUndefined();
    expect(tokens.known('1')).toEqual(caller);
  });
});
