import { createHash, randomBytes } from 'node:crypto';
import type { Ids } from '@provender/platform';
import type { Credentials } from './domain/credentials.ts';

const SECRET_BYTES = 32;

/** New credentials of 256 random bits: a fast hash of them is enough, there is nothing to guess. */
export function newCredentials(ids: Ids): Credentials {
  const clientSecret = randomBytes(SECRET_BYTES).toString('base64url');
  const secretHash = createHash('sha256').update(clientSecret).digest('base64url');
  return { clientId: ids.next(), clientSecret, secretHash };
}
