import type { Role } from '@provender/contracts';
import { type Query, statement, type Tx } from '@provender/platform';
import type { BackOffScope, FailureCount } from './domain/back-off.ts';
import { FAILURES_COUNTED_MAX, FORGET_FAILURES_AFTER } from './domain/back-off.ts';
import type { Client, ClientKind } from './domain/client.ts';
import type { User } from './domain/user.ts';

export type NewUser = User & { readonly emailKey: string; readonly passwordHash: string };

const INSERT_USERS = statement(
  'insert-users',
  // An address that is taken adds no row: of two registrations at once the unique key lets one through.
  `WITH wanted AS (
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::json[], $6::text[])
       AS w (id, email, email_key, name, roles, hash)
   ), added AS (
     INSERT INTO users (id, email, email_key, name, roles, registered_at)
     SELECT id, email, email_key, name, ARRAY(SELECT json_array_elements_text(roles)), $7 FROM wanted ORDER BY email_key
     ON CONFLICT (email_key) DO NOTHING
     RETURNING id
   ), hashes AS (
     INSERT INTO passwords (user_id, hash, changed_at)
     SELECT id, hash, $7 FROM wanted JOIN added USING (id)
   )
   SELECT id FROM added`,
);

/** Adds users with their passwords; gives the ids of those that were added, without those whose address is taken. */
export async function insertUsers(tx: Tx, users: readonly NewUser[], registeredAt: string): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(INSERT_USERS, [
    users.map((user) => user.id),
    users.map((user) => user.email),
    users.map((user) => user.emailKey),
    users.map((user) => user.name),
    // Arrays of arrays cannot be unnested side by side with others, so each set of roles travels as JSON.
    users.map((user) => JSON.stringify(user.roles)),
    users.map((user) => user.passwordHash),
    registeredAt,
  ]);
  return new Set(rows.map((row) => row.id));
}

const USER = statement('user', 'SELECT id, email, name, roles FROM users WHERE id = $1');

export async function userById(query: Query, id: string): Promise<User | undefined> {
  const [row] = await query.query<User>(USER, [id]);
  return row;
}

const USERS_BY_EMAIL_KEY = statement(
  'users-by-email-key',
  'SELECT id, email, name, roles FROM users WHERE email_key = ANY ($1::text[]) ORDER BY id',
);

export function usersByEmailKey(query: Query, emailKeys: readonly string[]): Promise<User[]> {
  return query.query<User>(USERS_BY_EMAIL_KEY, [emailKeys]);
}

const USER_TO_SIGN_IN = statement(
  'user-to-sign-in',
  `SELECT id, email, name, roles, hash FROM users JOIN passwords ON user_id = id WHERE email_key = $1`,
);

export async function userToSignIn(query: Query, emailKey: string): Promise<{ user: User; hash: string } | undefined> {
  const [row] = await query.query<User & { hash: string }>(USER_TO_SIGN_IN, [emailKey]);
  if (row === undefined) return undefined;
  const { hash, ...user } = row;
  return { user, hash };
}

const USERS_NEWEST_FIRST = statement(
  'users-newest-first',
  // Ids are UUIDv7: their order is the order of registration, and the primary key serves it backwards.
  `SELECT id, email, name, roles FROM users WHERE id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
   ORDER BY id DESC LIMIT $2`,
);

/** One row more than the limit, where there is one, so that the last page is known. */
export function usersNewestFirst(query: Query, after: string | undefined, limit: number): Promise<User[]> {
  return query.query<User>(USERS_NEWEST_FIRST, [after ?? null, limit + 1]);
}

const LOCK_USER_AND_MANAGERS = statement(
  'lock-user-and-managers',
  // In id order, so that two managers who take the role from each other wait instead of both succeeding.
  `SELECT id, email, name, roles FROM users WHERE id = $1 OR 'manager' = ANY (roles) ORDER BY id FOR UPDATE`,
);

export async function lockUserAndManagers(tx: Tx, id: string) {
  const rows = await tx.query<User>(LOCK_USER_AND_MANAGERS, [id]);
  const managerIds = rows.filter((row) => row.roles.includes('manager')).map((row) => row.id);
  return { user: rows.find((row) => row.id === id), managerIds };
}

const SET_ROLES = statement('set-roles', 'UPDATE users SET roles = $2 WHERE id = $1');

export async function setRoles(tx: Tx, id: string, roles: readonly Role[]): Promise<void> {
  await tx.query(SET_ROLES, [id, roles]);
}

const INSERT_CLIENT = statement(
  'insert-client',
  `INSERT INTO clients (id, kind, secret_hash, subject, roles, created_at) VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT (subject) WHERE kind = 'machine' AND revoked_at IS NULL DO NOTHING
   RETURNING id`,
);

export type NewClient = {
  readonly id: string;
  readonly kind: ClientKind;
  readonly secretHash: Buffer;
  readonly subject: string;
  readonly roles: readonly Role[];
};

/** Gives false where the machine has credentials already. */
export async function insertClient(tx: Tx, client: NewClient, createdAt: string): Promise<boolean> {
  const { id, kind, secretHash, subject, roles } = client;
  const rows = await tx.query(INSERT_CLIENT, [id, kind, secretHash, subject, roles, createdAt]);
  return rows.length === 1;
}

const CLIENT = statement(
  'client',
  'SELECT id, kind, subject, roles, revoked_at IS NOT NULL AS revoked, secret_hash FROM clients WHERE id = $1',
);

export type StoredClient = Client & { readonly secretHash: Buffer };

export async function clientById(query: Query, id: string): Promise<StoredClient | undefined> {
  const [row] = await query.query<Client & { secret_hash: Buffer }>(CLIENT, [id]);
  if (row === undefined) return undefined;
  const { secret_hash: secretHash, ...client } = row;
  return { ...client, secretHash };
}

const LOCK_CLIENT = statement(
  'lock-client',
  'SELECT id, kind, subject, roles, revoked_at IS NOT NULL AS revoked FROM clients WHERE id = $1 FOR UPDATE',
);

export async function lockClient(tx: Tx, id: string): Promise<Client | undefined> {
  const [row] = await tx.query<Client>(LOCK_CLIENT, [id]);
  return row;
}

const SET_CLIENT_SECRET = statement(
  'set-client-secret',
  'UPDATE clients SET secret_hash = $2, rotated_at = $3 WHERE id = $1',
);

export async function setClientSecret(tx: Tx, id: string, secretHash: Buffer, at: string): Promise<void> {
  await tx.query(SET_CLIENT_SECRET, [id, secretHash, at]);
}

const REVOKE_CLIENT = statement('revoke-client', 'UPDATE clients SET revoked_at = $2 WHERE id = $1');

export async function setClientRevoked(tx: Tx, id: string, at: string): Promise<void> {
  await tx.query(REVOKE_CLIENT, [id, at]);
}

const SIGN_IN_FAILURES = statement(
  'sign-in-failures',
  `SELECT key_hash, failures, (extract(epoch FROM now() - last_failed_at) * 1000)::float8 AS since
   FROM sign_in_failures WHERE key_hash = ANY ($1::bytea[])`,
);

export type FailureKey = { readonly scope: BackOffScope; readonly hash: Buffer };

export async function signInFailures(query: Query, keys: readonly FailureKey[]): Promise<FailureCount[]> {
  const hashes = keys.map((key) => key.hash);
  const rows = await query.query<{ key_hash: Buffer; failures: number; since: number }>(SIGN_IN_FAILURES, [hashes]);
  return rows.flatMap(({ key_hash, failures, since }) => {
    const scope = keys.find((key) => key.hash.equals(key_hash))?.scope;
    return scope === undefined ? [] : [{ scope, failures, sinceLastFailure: Math.max(0, since) }];
  });
}

const COUNT_FAILURES = statement(
  'count-failures',
  // Rows are taken in the order of their keys: two failures at once cannot wait for each other.
  `INSERT INTO sign_in_failures AS counted (key_hash, failures, last_failed_at)
   SELECT key_hash, 1, now() FROM unnest($1::bytea[]) AS key_hash ORDER BY key_hash
   ON CONFLICT (key_hash) DO UPDATE SET
     failures = CASE WHEN counted.last_failed_at < now() - make_interval(secs => $2) THEN 1
                ELSE least(counted.failures + 1, $3) END,
     last_failed_at = now()`,
);

export async function countSignInFailure(tx: Tx, keys: readonly FailureKey[]): Promise<void> {
  const hashes = keys.map((key) => key.hash);
  await tx.query(COUNT_FAILURES, [hashes, FORGET_FAILURES_AFTER / 1_000, FAILURES_COUNTED_MAX]);
}

const FORGET_FAILURES = statement('forget-failures', 'DELETE FROM sign_in_failures WHERE key_hash = ANY ($1::bytea[])');

export async function forgetSignInFailures(tx: Tx, keys: readonly FailureKey[]): Promise<void> {
  await tx.query(FORGET_FAILURES, [keys.map((key) => key.hash)]);
}

const PURGE_ARTIFACTS = statement(
  'purge-artifacts',
  `DELETE FROM artifacts WHERE (model, id_hash) IN (
     SELECT model, id_hash FROM artifacts WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING 1`,
);

const PURGE_FAILURES = statement(
  'purge-failures',
  `DELETE FROM sign_in_failures WHERE key_hash IN (
     SELECT key_hash FROM sign_in_failures WHERE last_failed_at < now() - make_interval(secs => $2)
     ORDER BY last_failed_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING 1`,
);

/** Deletes up to so many of what has ended by the wall clock: artifacts, and failures that are forgotten. */
export async function purgeEnded(tx: Tx, limit: number): Promise<{ artifacts: number; failures: number }> {
  const [artifacts, failures] = await Promise.all([
    tx.query(PURGE_ARTIFACTS, [limit]),
    tx.query(PURGE_FAILURES, [limit, FORGET_FAILURES_AFTER / 1_000]),
  ]);
  return { artifacts: artifacts.length, failures: failures.length };
}

const ADD_SIGNING_KEY = statement(
  'add-signing-key',
  'INSERT INTO signing_keys (kid, private_jwk, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
);

/** Adds the key unless there is one; of two processes at once the second waits for the first and uses that one's. */
export async function addSigningKey(tx: Tx, kid: string, privateJwk: object, createdAt: string): Promise<void> {
  await tx.query(ADD_SIGNING_KEY, [kid, JSON.stringify(privateJwk), createdAt]);
}

const SIGNING_KEYS = statement('signing-keys', 'SELECT private_jwk AS jwk FROM signing_keys');

export async function signingKeys<Jwk>(query: Query): Promise<Jwk[]> {
  const rows = await query.query<{ jwk: Jwk }>(SIGNING_KEYS);
  return rows.map((row) => row.jwk);
}

const SAVE_ARTIFACT = statement(
  'save-artifact',
  `INSERT INTO artifacts (model, id_hash, grant_id, payload, expires_at)
   VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
   ON CONFLICT (model, id_hash) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
);

export type NewArtifact = {
  readonly model: string;
  readonly idHash: Buffer;
  readonly grantId: string | undefined;
  readonly payload: object;
  readonly seconds: number;
};

export async function saveArtifact(tx: Tx, artifact: NewArtifact): Promise<void> {
  const { model, idHash, grantId, payload, seconds } = artifact;
  await tx.query(SAVE_ARTIFACT, [model, idHash, grantId ?? null, JSON.stringify(payload), seconds]);
}

const ARTIFACT = statement(
  'artifact',
  `SELECT payload, extract(epoch FROM consumed_at)::float8 AS consumed FROM artifacts
   WHERE model = $1 AND id_hash = $2`,
);

export type Artifact<Payload> = { readonly payload: Payload; readonly consumed: number | null };

export async function artifactByHash<Payload>(
  query: Query,
  model: string,
  idHash: Buffer,
): Promise<Artifact<Payload> | undefined> {
  const [row] = await query.query<Artifact<Payload>>(ARTIFACT, [model, idHash]);
  return row;
}

const CONSUME_ARTIFACT = statement(
  'consume-artifact',
  // Of two that use one refresh token at the same moment, one finds it not consumed.
  `UPDATE artifacts SET consumed_at = now() WHERE model = $1 AND id_hash = $2 AND consumed_at IS NULL RETURNING 1`,
);

/** Gives false where it was consumed already, or has gone. */
export async function consumeArtifact(tx: Tx, model: string, idHash: Buffer): Promise<boolean> {
  return (await tx.query(CONSUME_ARTIFACT, [model, idHash])).length === 1;
}

const DELETE_ARTIFACT = statement('delete-artifact', 'DELETE FROM artifacts WHERE model = $1 AND id_hash = $2');

export async function deleteArtifact(tx: Tx, model: string, idHash: Buffer): Promise<void> {
  await tx.query(DELETE_ARTIFACT, [model, idHash]);
}

const DELETE_ARTIFACTS_OF_GRANT = statement(
  'delete-artifacts-of-grant',
  'DELETE FROM artifacts WHERE model = $1 AND grant_id = $2',
);

export async function deleteArtifactsOfGrant(tx: Tx, model: string, grantId: string): Promise<void> {
  await tx.query(DELETE_ARTIFACTS_OF_GRANT, [model, grantId]);
}

const END_FAMILY = statement(
  'end-family',
  `DELETE FROM artifacts WHERE grant_id = $1 OR (model = 'Grant' AND id_hash = $2)`,
);

/** Ends a grant with every token of it. A token that is just being saved for it is worth nothing without the grant. */
export async function endFamily(tx: Tx, grantId: string, grantIdHash: Buffer): Promise<void> {
  await tx.query(END_FAMILY, [grantId, grantIdHash]);
}
