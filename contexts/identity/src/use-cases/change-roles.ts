import type { PersonRole } from '@provender/contracts';
import { accept, type Result } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { changeRoles as decide, type RolesRefusal, type User } from '../domain/user.ts';
import { lockUserAndManagers, setRoles } from '../store.ts';

/** Gives a user other roles. Refuses for an unknown user and where no manager would be left. Twice is as once. */
export async function changeRoles(
  tx: Tx,
  userId: string,
  wanted: readonly PersonRole[],
): Promise<Result<User, RolesRefusal>> {
  const { user, managerIds } = await lockUserAndManagers(tx, userId);
  const decided = decide(user, wanted, managerIds);
  if (!decided.ok || user === undefined) return decided.ok ? { ok: false, refusal: { kind: 'unknown-user' } } : decided;
  const { roles, changed } = decided.value;
  if (changed) {
    await setRoles(tx, userId, roles);
    const data = { userId, roles: [...roles] };
    tx.append([{ type: 'identity.roles-changed.v1', key: userId, subject: userId, data }]);
  }
  return accept({ ...user, roles });
}
