import type { PersonRole } from '@provender/contracts';
import type { Instant } from '@provender/kernel';
import type { Ids, Tx } from '@provender/platform';
import { emailKey } from '../domain/email-address.ts';
import { normalisePassword } from '../domain/password.ts';
import type { User } from '../domain/user.ts';
import { hashPassword } from '../password-hash.ts';
import { usersByEmailKey } from '../store.ts';
import { registerUsers } from './register-users.ts';

export type Person = {
  /** Drawn unless given. */
  readonly id?: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly PersonRole[];
};

/**
 * Hashes one password for people whom the installation itself brings along, such as the demo's. It goes around the rule
 * for passwords on purpose: `test` is known to everybody and meant to be. No route reaches it.
 */
export function hashForPeople(password: string): Promise<string> {
  return hashPassword(normalisePassword(password));
}

/** Adds people with a password that was hashed before. Whoever is there already is left as they are. Gives them all. */
export async function addPeople(
  tx: Tx,
  ids: Ids,
  people: readonly Person[],
  passwordHash: string,
  now: Instant,
): Promise<User[]> {
  const registrations = people.map((person) => ({ ...person, passwordHash }));
  await registerUsers(tx, ids, registrations, now);
  return usersByEmailKey(
    tx,
    people.map(({ email }) => emailKey(email) ?? email),
  );
}
