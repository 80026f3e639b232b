import { ACCESS_TOKEN_AUDIENCE, API_SCOPE } from '@provender/contracts';
import { type Milliseconds, SECOND } from '@provender/kernel';
import type { ResourceServer } from 'oidc-provider';
import { ACCESS_TOKEN_LIFETIME } from '../domain/token-lifetimes.ts';
import { SIGNING_ALGORITHM } from '../signing-keys.ts';

/** The authorization server counts in seconds. */
export function inSeconds(duration: Milliseconds): number {
  return duration / SECOND;
}

/** Our API, the one resource that tokens are for: they are JWTs (RFC 9068) signed with our key. */
export const RESOURCE_SERVER: ResourceServer = {
  scope: API_SCOPE,
  audience: ACCESS_TOKEN_AUDIENCE,
  accessTokenTTL: inSeconds(ACCESS_TOKEN_LIFETIME),
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: SIGNING_ALGORITHM } },
};
