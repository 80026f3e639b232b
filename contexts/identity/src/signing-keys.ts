import { generateKeyPairSync } from 'node:crypto';
import { formatInstant, type Instant } from '@provender/kernel';
import type { Query, Tx } from '@provender/platform';
import type { JWK } from 'jose';
import { addSigningKey, signingKeys } from './store.ts';

/** The algorithm of our access tokens: Ed25519, small and fast, with no parameter to get wrong. */
export const SIGNING_ALGORITHM = 'EdDSA';

/** Makes the first key of a new database. Two processes may do so at once: one key is kept and both use it. */
export async function ensureSigningKey(tx: Tx, kid: string, now: Instant): Promise<void> {
  if ((await signingKeys<JWK>(tx)).length > 0) return;
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  await addSigningKey(tx, kid, jwk, formatInstant(now));
}

/** The keys that tokens are signed with, private half included: for the authorization server alone. */
export async function privateKeys(query: Query): Promise<JWK[]> {
  const keys = await signingKeys<JWK>(query);
  if (keys.length === 0) throw new Error('There is no signing key yet: identity has not been started');
  return keys;
}

/** What anybody may know of our keys: enough to check a signature, nothing to make one. */
export async function publicKeys(query: Query): Promise<JWK[]> {
  return (await privateKeys(query)).map(({ d: _secret, ...publicHalf }) => publicHalf);
}
