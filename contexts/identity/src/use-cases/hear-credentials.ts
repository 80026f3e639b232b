import type { Heard, RecordedEvent } from '@provender/contracts';
import type { Tx } from '@provender/platform';
import { type CredentialsSaid, credentialsChange } from '../domain/machine-credentials.ts';
import { insertMachineClients, revokeMachineClients } from '../store/machine-clients.ts';

const ISSUED = 'fleet.machine-credentials-issued.v1';
const REVOKED = 'fleet.machine-credentials-revoked.v1';

/** What the fleet says of credentials; their secrets it keeps to itself and whoever was shown them. */
export const CREDENTIALS_EVENTS = [ISSUED, REVOKED] as const;

type CredentialsEvent = {
  [Type in (typeof CREDENTIALS_EVENTS)[number]]: Heard<Type>;
}[(typeof CREDENTIALS_EVENTS)[number]];

export function isOfCredentials(event: RecordedEvent): event is CredentialsEvent {
  return event.type === ISSUED || event.type === REVOKED;
}

/** Lets machines in by what the fleet issued, and no more by what it ended. The same again changes nothing. */
export async function hearCredentials(tx: Tx, events: readonly CredentialsEvent[]): Promise<void> {
  const { issued, ended } = credentialsChange(events.map(saidBy));
  await revokeMachineClients(tx, ended);
  await insertMachineClients(tx, issued);
}

function saidBy(event: CredentialsEvent): CredentialsSaid {
  const at = event.time;
  if (event.type === ISSUED) return { kind: 'issued', at, ...event.data };
  return { kind: 'revoked', at, clientId: event.data.clientId };
}
