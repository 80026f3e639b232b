import type { PersonRole, Role } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';

export type User = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
};

/** Whoever registers is a customer; more is given by a manager. */
export const ROLES_AT_REGISTRATION: readonly PersonRole[] = ['customer'];

export type RolesRefusal = { readonly kind: 'unknown-user' } | { readonly kind: 'last-manager' };

/** What a change of roles comes to: the roles in their fixed order, and whether anything is different from before. */
export type RolesChange = { readonly roles: readonly Role[]; readonly changed: boolean };

const ROLE_ORDER: readonly Role[] = ['customer', 'staff', 'manager', 'machine'];

/**
 * Takes the user (undefined where there is none), the roles wanted, and the ids of all managers there are.
 * Refuses to leave the house without a manager: nobody could ever give the role back.
 */
export function changeRoles(
  user: User | undefined,
  wanted: readonly PersonRole[],
  managerIds: readonly string[],
): Result<RolesChange, RolesRefusal> {
  if (user === undefined) return refuse({ kind: 'unknown-user' });
  const staysManager = wanted.includes('manager');
  if (!staysManager && managerIds.length === 1 && managerIds[0] === user.id) return refuse({ kind: 'last-manager' });
  const roles = ROLE_ORDER.filter((role) => wanted.some((one) => one === role));
  const changed = roles.length !== user.roles.length || roles.some((role) => !user.roles.includes(role));
  return accept({ roles, changed });
}

/** A user is shown to themself and to managers; to all others there is no such user. */
export function mayRead(reader: { readonly id: string; readonly roles: readonly Role[] }, userId: string): boolean {
  return reader.id === userId || reader.roles.includes('manager');
}
