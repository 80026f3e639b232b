import { PERSON_ROLES } from '@provender/contracts';
import { type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { emailKey } from '../domain/email-address.ts';
import type { RolesRefusal, User } from '../domain/user.ts';
import { usersByEmailKey } from '../store.ts';
import { changeRoles } from './change-roles.ts';

/**
 * Makes somebody who has registered a manager, beside what they are: the first one has nobody to ask. No route reaches
 * it; whoever may run it has the database anyway. Refuses for an unknown address. Twice is as once.
 */
export async function promote(tx: Tx, email: string): Promise<Result<User, RolesRefusal>> {
  const [user] = await usersByEmailKey(tx, [emailKey(email) ?? email]);
  if (user === undefined) return refuse({ kind: 'unknown-user' });
  const roles = PERSON_ROLES.filter((role) => role === 'manager' || user.roles.includes(role));
  return changeRoles(tx, user.id, roles);
}
