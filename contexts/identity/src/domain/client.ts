import type { Role } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

/** `machine`: credentials of one vending machine. `confidential`: a program of somebody else that keeps a secret. */
export const CLIENT_KINDS = ['machine', 'confidential'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Who may get tokens without a person: by its own id and secret. `subject` is whom its tokens speak for. */
export type Client = {
  readonly id: string;
  readonly kind: ClientKind;
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly revoked: boolean;
};

export type ClientRefusal = { readonly kind: 'unknown-client' } | { readonly kind: 'client-revoked' };

/** A machine may speak only for itself: it has the role `machine` and no other. Others never have that role. */
export function rolesOfClient(kind: ClientKind, wanted: readonly Role[]): readonly Role[] {
  return kind === 'machine' ? ['machine'] : wanted.filter((role) => role !== 'machine');
}

/** Takes a client (undefined where there is none). Refuses a revoked one: that is final, it gets no new secret. */
export function usableClient(client: Client | undefined): Result<Client, ClientRefusal> {
  if (client === undefined) return refuse({ kind: 'unknown-client' });
  if (client.revoked) return refuse({ kind: 'client-revoked' });
  return accept(client);
}
