import type { Said } from '@provender/contracts';
import { said } from './machine.ts';

/** What a machine's program signs in with, at identity. The secret is shown once; only its hash goes further. */
export type Credentials = { readonly clientId: string; readonly clientSecret: string; readonly secretHash: string };

/** What is said of new credentials: identity lets them in, and those that they replace no more. */
export function credentialsIssued(
  machineId: string,
  { clientId, secretHash }: Credentials,
  replaces: string | null,
): Said {
  const data = { machineId, clientId, secretHash, ...(replaces === null ? {} : { replaces }) };
  return said('fleet.machine-credentials-issued.v1', machineId, data);
}

export function credentialsRevoked(machineId: string, clientId: string): Said {
  return said('fleet.machine-credentials-revoked.v1', machineId, { machineId, clientId });
}
