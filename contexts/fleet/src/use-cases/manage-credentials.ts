import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Credentials, credentialsIssued, credentialsRevoked } from '../domain/credentials.ts';
import { lockMachine, updateMachine } from '../store/machines.ts';

export type UnknownMachine = { readonly kind: 'unknown-machine' };

/** Gives a machine other credentials; those that it had end with it. Refuses an unknown machine. */
export async function rotateCredentials(
  tx: Tx,
  machineId: string,
  credentials: Credentials,
  now: Instant,
): Promise<Result<Credentials, UnknownMachine>> {
  const machine = await lockMachine(tx, machineId);
  if (machine === undefined) return refuse({ kind: 'unknown-machine' });
  await updateMachine(tx, { ...machine, clientId: credentials.clientId, updatedAt: now });
  tx.append([credentialsIssued(machineId, credentials, machine.clientId)]);
  return accept(credentials);
}

/** Ends a machine's credentials. Refuses an unknown machine, and one that has none. */
export async function revokeCredentials(
  tx: Tx,
  machineId: string,
  now: Instant,
): Promise<Result<undefined, UnknownMachine | { readonly kind: 'no-credentials' }>> {
  const machine = await lockMachine(tx, machineId);
  if (machine === undefined) return refuse({ kind: 'unknown-machine' });
  if (machine.clientId === null) return refuse({ kind: 'no-credentials' });
  await updateMachine(tx, { ...machine, clientId: null, updatedAt: now });
  tx.append([credentialsRevoked(machineId, machine.clientId)]);
  return accept(undefined);
}
