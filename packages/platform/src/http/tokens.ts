import { ROLES, type Role } from '@provender/contracts';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { SignedInCaller } from './access.ts';

/** What a token that holds says, and until when (wall time, milliseconds). */
export type VerifiedToken = { readonly caller: SignedInCaller; readonly expiresAt: number };

/** Takes the text of a bearer token. Gives undefined where it is not one of ours, or no longer. */
export type VerifyToken = (token: string) => Promise<VerifiedToken | undefined>;

export type TokenVerifierOptions = {
  /** The public keys of the issuer, from wherever they are. */
  readonly jwks: () => Promise<JSONWebKeySet>;
  /** A function, since a server that takes a free port knows its address late. */
  readonly issuer: () => string;
  readonly audience: string;
  /** A token with an unknown key id makes us ask for the keys again, but not more often than this (wall time). */
  readonly askAgainAfterMilliseconds?: number;
};

/** Signatures by keys only: no HMAC, which a public key could forge, and no `none`. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256'];
const TOKEN_LENGTH_MAX = 4_096;
const CLOCK_TOLERANCE_SECONDS = 5;
const ASK_AGAIN_AFTER_MILLISECONDS = 5_000;

/** Verifies access tokens (RFC 9068) against the issuer's keys, fetched once and again when one is unknown. */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { jwks, issuer, audience, askAgainAfterMilliseconds = ASK_AGAIN_AFTER_MILLISECONDS } = options;
  let keys: Promise<ReturnType<typeof createLocalJWKSet>> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;

  function askForKeys(): void {
    askedAt = performance.now();
    const asked = jwks().then(createLocalJWKSet);
    keys = asked;
    asked.catch(() => {
      if (keys === asked) keys = undefined;
    });
  }

  async function payloadOf(token: string): Promise<JWTPayload> {
    if (keys === undefined) askForKeys();
    const known = await keys;
    if (known === undefined) throw new Error('There are no keys to verify tokens with');
    const wanted = { issuer: issuer(), audience, algorithms: ALGORITHMS, typ: 'at+jwt' };
    const requiredClaims = ['sub', 'exp', 'iat'];
    const { payload } = await jwtVerify(token, known, {
      ...wanted,
      requiredClaims,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return payload;
  }

  return async (token) => {
    if (token.length > TOKEN_LENGTH_MAX) return undefined;
    for (let mayAskAgain = true; ; mayAskAgain = false) {
      try {
        return verified(await payloadOf(token));
      } catch (error) {
        const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
        if (isUnknownKey && mayAskAgain && performance.now() - askedAt > askAgainAfterMilliseconds) askForKeys();
        else if (error instanceof errors.JOSEError) return undefined;
        else throw error;
      }
    }
  };
}

function verified({ sub, exp, roles }: JWTPayload): VerifiedToken | undefined {
  if (sub === undefined || exp === undefined || !Array.isArray(roles)) return undefined;
  const known = roles.filter((role: unknown): role is Role => ROLES.some((each) => each === role));
  const expiresAt = exp * 1_000;
  // A machine is nothing beside: a token that says both would be a mistake of the issuer, and the lesser right counts.
  if (known.includes('machine')) return { caller: { kind: 'machine', id: sub }, expiresAt };
  return { caller: { kind: 'user', id: sub, roles: known }, expiresAt };
}

const KNOWN_TOKENS_MAX = 10_000;

/** Tokens that were verified before: checking a signature costs more than all else that a small request does. */
export type KnownTokens = {
  /** The caller of a token that was verified before and still holds. */
  known(token: string): SignedInCaller | undefined;
  verify(token: string): Promise<SignedInCaller | undefined>;
};

/** Remembers verified tokens until they expire, the latest ten thousand at most; the oldest go first. */
export function knownTokens(verify: VerifyToken): KnownTokens {
  const tokens = new Map<string, VerifiedToken>();
  return {
    known(token) {
      const found = tokens.get(token);
      if (found === undefined) return undefined;
      if (found.expiresAt > Date.now()) return found.caller;
      tokens.delete(token);
      return undefined;
    },
    async verify(token) {
      const found = await verify(token);
      if (found === undefined) return undefined;
      if (tokens.size >= KNOWN_TOKENS_MAX) {
        const oldest = tokens.keys().next();
        if (oldest.done !== true) tokens.delete(oldest.value);
      }
      tokens.set(token, found);
      return found.caller;
    },
  };
}
