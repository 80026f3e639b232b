import type { Said } from '@provender/contracts';
import { accept, formatInstant, type Instant, type Result, refuse } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { emailKey } from '../domain/email-address.ts';
import type { User } from '../domain/user.ts';
import { insertUsers, type NewUser } from '../store.ts';

export type Registration = {
  /** Drawn unless given. */
  readonly id?: string;
  readonly email: string;
  readonly name: string;
  readonly roles: User['roles'];
  /** Made before the transaction: hashing takes its time, and a connection has no time to give. */
  readonly passwordHash: string;
};

export type RegisterRefusal = { readonly kind: 'email-taken' };

/** Takes registrations whose passwords were checked and hashed. Refuses each whose address is taken. */
export async function registerUsers(
  tx: Tx,
  ids: Ids,
  registrations: readonly Registration[],
  now: Instant,
): Promise<Result<User, RegisterRefusal>[]> {
  const users = registrations.map(
    (registration): NewUser => ({
      ...registration,
      id: registration.id ?? ids.next(),
      emailKey: emailKey(registration.email) ?? registration.email,
    }),
  );
  const added = await insertUsers(tx, users, formatInstant(now));
  const outcomes = users.map(({ id, email, name, roles }): Result<User, RegisterRefusal> => {
    return added.has(id) ? accept({ id, email, name, roles }) : refuse({ kind: 'email-taken' });
  });
  tx.append(outcomes.flatMap((outcome) => (outcome.ok ? [userRegistered(outcome.value)] : [])));
  return outcomes;
}

function userRegistered({ id, email, name, roles }: User): Said {
  const data = { userId: id, email, name, roles: [...roles] };
  return { type: 'identity.user-registered.v1', key: id, subject: id, data };
}
