import { ROLES, type Role } from '@provender/contracts';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { SignedInCaller } from './access.ts';

/** What a token that holds says, since when and until when (wall time, milliseconds; the first to the second). */
export type VerifiedToken = {
  readonly caller: SignedInCaller;
  readonly issuedAt?: number;
  readonly expiresAt: number;
};

/** What a caller may still be, by what was heard since the token was issued. */
export type LimitCaller = (caller: SignedInCaller, issuedAt: number) => SignedInCaller;

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
  /** Keys older than this are asked for again meanwhile: one that was withdrawn is not believed for ever. */
  readonly keysAgeMilliseconds?: number;
};

/** Signatures by keys only: no HMAC, which a public key could forge, and no `none`. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256'];
const TOKEN_LENGTH_MAX = 4_096;
const CLOCK_TOLERANCE_SECONDS = 5;
const ASK_AGAIN_AFTER_MILLISECONDS = 5_000;
const KEYS_AGE_MILLISECONDS = 5 * 60 * 1_000;

type Keys = ReturnType<typeof createLocalJWKSet>;

/**
 * Verifies access tokens (RFC 9068) against the issuer's keys: fetched at the first token, again when one is unknown,
 * and every few minutes while nobody waits. Where they cannot be had, those that were had last go on being good.
 */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { issuer, audience } = options;
  const keys = keepKeys(options);

  async function payloadOf(token: string, known: Keys): Promise<JWTPayload> {
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
    for (let known = await keys.known(), mayAskAgain = true; ; mayAskAgain = false) {
      try {
        return verified(await payloadOf(token, known));
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
        const renewed = isUnknownKey && mayAskAgain ? await keys.renewed() : undefined;
        if (renewed === undefined) return undefined;
        known = renewed;
      }
    }
  };
}

/** The issuer's keys in this process's memory. Whoever asks while they are being asked for waits for the same. */
function keepKeys(options: TokenVerifierOptions) {
  const {
    jwks,
    askAgainAfterMilliseconds = ASK_AGAIN_AFTER_MILLISECONDS,
    keysAgeMilliseconds = KEYS_AGE_MILLISECONDS,
  } = options;
  let latest: Keys | undefined;
  let asking: Promise<Keys> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;

  function ask(): Promise<Keys> {
    askedAt = performance.now();
    asking ??= jwks()
      .then((published) => {
        latest = createLocalJWKSet(published);
        return latest;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    /** Throws where they were never had and cannot be had now. */
    async known(): Promise<Keys> {
      if (latest === undefined) return ask();
      // A failure leaves what we have; it is tried again as late as a success would be.
      if (performance.now() - askedAt > keysAgeMilliseconds) ask().catch(() => {});
      return latest;
    },
    /** Asked for once more; undefined where that was done a moment ago, or cannot be done. */
    async renewed(): Promise<Keys | undefined> {
      if (asking === undefined && performance.now() - askedAt <= askAgainAfterMilliseconds) return undefined;
      return ask().catch(() => undefined);
    },
  };
}

function verified({ sub, iat, exp, roles }: JWTPayload): VerifiedToken | undefined {
  if (sub === undefined || iat === undefined || exp === undefined || !Array.isArray(roles)) return undefined;
  const known = roles.filter((role: unknown): role is Role => ROLES.some((each) => each === role));
  const life = { issuedAt: iat * 1_000, expiresAt: exp * 1_000 };
  // A machine is nothing beside: a token that says both would be a mistake of the issuer, and the lesser right counts.
  if (known.includes('machine')) return { caller: { kind: 'machine', id: sub }, ...life };
  return { caller: { kind: 'user', id: sub, roles: known }, ...life };
}

const KNOWN_TOKENS_MAX = 10_000;

/** Tokens that were verified before: checking a signature costs more than all else that a small request does. */
export type KnownTokens = {
  /** The caller of a token that was verified before and still holds. */
  known(token: string): SignedInCaller | undefined;
  verify(token: string): Promise<SignedInCaller | undefined>;
  /** What goes on to hold of a token that was verified, for an answer that lasts. */
  holding(token: string): HoldingToken | undefined;
};

/** A verified token, and who its caller still is whenever that is asked. */
export type HoldingToken = { readonly expiresAt: number; callerNow(): SignedInCaller };

/** Remembers verified tokens until they expire, the latest ten thousand at most; the oldest go first. */
export function knownTokens(verify: VerifyToken, limit: LimitCaller = (caller) => caller): KnownTokens {
  const tokens = new Map<string, VerifiedToken>();
  const callerOf = ({ caller, issuedAt = 0 }: VerifiedToken) => limit(caller, issuedAt);
  return {
    known(token) {
      const found = tokens.get(token);
      if (found === undefined) return undefined;
      if (found.expiresAt > Date.now()) return callerOf(found);
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
      return callerOf(found);
    },
    holding(token) {
      const found = tokens.get(token);
      return found === undefined ? undefined : { expiresAt: found.expiresAt, callerNow: () => callerOf(found) };
    },
  };
}
