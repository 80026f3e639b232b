import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '@provender/contracts';
import { accept, formatInstant, type Instant, type Result, refuse } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { type ClientKind, type ClientRefusal, rolesOfClient, usableClient } from '../domain/client.ts';
import { insertClient, lockClient, setClientRevoked, setClientSecret } from '../store.ts';

const SECRET_BYTES = 32;

/** What a client needs to sign in. The secret is said once; only its hash is kept. */
export type ClientCredentials = { readonly clientId: string; readonly clientSecret: string };

export type CreateClientRefusal =
  | { readonly kind: 'client-without-roles' }
  | { readonly kind: 'machine-has-credentials' };

export type NewClientWish = {
  readonly kind: ClientKind;
  /** The machine that the tokens speak for; a program of others speaks for itself and names none. */
  readonly subject?: string;
  readonly roles?: readonly Role[];
};

/** 256 random bits: a fast hash of them is enough, there is nothing to guess. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Makes credentials. Refuses a client that could do nothing, and a second pair for one machine. */
export async function createClient(
  tx: Tx,
  ids: Ids,
  { kind, subject, roles = [] }: NewClientWish,
  now: Instant,
): Promise<Result<ClientCredentials, CreateClientRefusal>> {
  const clientId = ids.next();
  const clientSecret = newSecret();
  const allowedRoles = rolesOfClient(kind, roles);
  if (allowedRoles.length === 0) return refuse({ kind: 'client-without-roles' });
  const client = {
    id: clientId,
    kind,
    subject: subject ?? clientId,
    roles: allowedRoles,
    secretHash: hashSecret(clientSecret),
  };
  const added = await insertClient(tx, client, formatInstant(now));
  return added ? accept({ clientId, clientSecret }) : refuse({ kind: 'machine-has-credentials' });
}

/** Replaces the secret; the old one ends at once. Refuses for an unknown or revoked client. */
export async function rotateClientSecret(
  tx: Tx,
  clientId: string,
  now: Instant,
): Promise<Result<ClientCredentials, ClientRefusal>> {
  const usable = usableClient(await lockClient(tx, clientId));
  if (!usable.ok) return usable;
  const clientSecret = newSecret();
  await setClientSecret(tx, clientId, hashSecret(clientSecret), formatInstant(now));
  return accept({ clientId, clientSecret });
}

/** Ends the credentials for good: no new tokens from now on, and those that are out end within minutes. */
export async function revokeClient(tx: Tx, clientId: string, now: Instant): Promise<Result<undefined, ClientRefusal>> {
  const usable = usableClient(await lockClient(tx, clientId));
  if (!usable.ok) return usable;
  await setClientRevoked(tx, clientId, formatInstant(now));
  return accept(undefined);
}
