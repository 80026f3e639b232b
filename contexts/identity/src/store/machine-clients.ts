import { statement, type Tx } from '@provender/platform';
import type { EndedCredentials, IssuedCredentials } from '../domain/machine-credentials.ts';

const REVOKE = statement(
  'revoke-machine-clients',
  `UPDATE clients SET revoked_at = ended.at
   FROM (SELECT id, min(at) AS at FROM unnest($1::uuid[], $2::timestamptz[]) AS said (id, at) GROUP BY id) AS ended
   WHERE clients.id = ended.id AND kind = 'machine' AND revoked_at IS NULL`,
);
const INSERT = statement(
  'insert-machine-clients',
  // What is heard again is there already, also where it has been revoked since.
  `INSERT INTO clients (id, kind, secret_hash, subject, roles, created_at)
   SELECT id, 'machine', hash, subject, '{machine}', at
   FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::timestamptz[]) AS issued (id, hash, subject, at) ORDER BY id
   ON CONFLICT (id) DO NOTHING`,
);

/** Ends what is not ended yet. */
export async function revokeMachineClients(tx: Tx, ended: readonly EndedCredentials[]): Promise<void> {
  if (ended.length === 0) return;
  await tx.query(REVOKE, [ended.map(({ clientId }) => clientId), ended.map(({ at }) => at)]);
}

/** Lets machines in; the one that had credentials before has none by now. */
export async function insertMachineClients(tx: Tx, issued: readonly IssuedCredentials[]): Promise<void> {
  if (issued.length === 0) return;
  await tx.query(INSERT, [
    issued.map(({ clientId }) => clientId),
    issued.map(({ secretHash }) => Buffer.from(secretHash, 'base64url')),
    issued.map(({ machineId }) => machineId),
    issued.map(({ at }) => at),
  ]);
}
