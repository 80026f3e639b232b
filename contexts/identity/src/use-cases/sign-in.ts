import { createHash } from 'node:crypto';
import { accept, type Result, refuse } from '@provender/kernel';
import type { Database } from '@provender/platform';
import { attemptSignIn, type BackOffRefusal } from '../domain/back-off.ts';
import { emailKey } from '../domain/email-address.ts';
import { normalisePassword } from '../domain/password.ts';
import type { User } from '../domain/user.ts';
import { type Busy, type HashQueue, passwordMatches } from '../password-hash.ts';
import { countSignInFailure, type FailureKey, forgetSignInFailures, signInFailures, userToSignIn } from '../store.ts';

export type SignIn = { readonly username: string; readonly password: string; readonly address: string };

export type SignInRefusal = { readonly kind: 'wrong-credentials' } | BackOffRefusal | Busy;

export type SignInPlace = { readonly db: Database; readonly hashes: HashQueue; readonly backsOff: boolean };

/**
 * Takes an e-mail address and a password. Refuses, in this order: too much work waiting, an attempt before its back-off
 * is over, a wrong password or an unknown address, which answer alike and after the same time.
 */
export async function signIn(place: SignInPlace, attempt: SignIn): Promise<Result<User, SignInRefusal>> {
  // The counts are read when the attempt has its turn, so that many at once cannot all slip by the same low count.
  const outcome = await place.hashes.run(() => checkPassword(place, attempt));
  return outcome ?? refuse({ kind: 'busy' });
}

async function checkPassword(
  { db, backsOff }: SignInPlace,
  { username, password, address }: SignIn,
): Promise<Result<User, SignInRefusal>> {
  const email = emailKey(username);
  const keys = failureKeys(email ?? '', address);
  const counts = await signInFailures(db, keys);
  const allowed = attemptSignIn(backsOff ? counts : []);
  if (!allowed.ok) return allowed;
  const known = email === undefined ? undefined : await userToSignIn(db, email);
  if (!(await passwordMatches(normalisePassword(password), known?.hash)) || known === undefined) {
    await db.withTx((tx) => countSignInFailure(tx, keys));
    return refuse({ kind: 'wrong-credentials' });
  }
  // Whoever knows the password clears the pair and the account; what the address tried on others stays counted.
  const cleared = keys.filter((key) => key.scope !== 'address');
  if (counts.length > 0) await db.withTx((tx) => forgetSignInFailures(tx, cleared));
  return accept(known.user);
}

/** Hashed, since people type their password into the wrong field. */
function failureKeys(email: string, address: string): FailureKey[] {
  const hash = (...parts: string[]) => createHash('sha256').update(parts.join('\n')).digest();
  return [
    { scope: 'pair', hash: hash('pair', address, email) },
    { scope: 'account', hash: hash('account', email) },
    { scope: 'address', hash: hash('address', address) },
  ];
}
