import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '@provender/contracts';
import { accept, type Result, refuse } from '@provender/kernel';
import { emailKey } from './email-address.ts';

export type PasswordRefusal =
  | { readonly kind: 'password-too-short' }
  | { readonly kind: 'password-too-long' }
  | { readonly kind: 'password-is-the-email' }
  | { readonly kind: 'password-is-easily-guessed' };

/** The most guessed passwords of at least eight characters. Length protects better than rules about signs do. */
const MOST_GUESSED = new Set([
  'password',
  '12345678',
  '123456789',
  '1234567890',
  '0123456789',
  '87654321',
  'qwertyui',
  'qwertyuiop',
  'asdfghjkl',
  'iloveyou',
  'sunshine',
  'princess',
  'football',
  'baseball',
  'letmein1',
  'abcd1234',
]);

/** One password however the keyboard composed its letters: `é` typed as one sign or as two. */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/**
 * Takes the password that somebody wants to have and the e-mail address it would belong to.
 * Refuses, in this order, what is too short or too long, what is the address or its name part, and what everybody
 * tries first.
 */
export function choosePassword(password: string, email: string): Result<string, PasswordRefusal> {
  const chosen = normalisePassword(password);
  const length = Array.from(chosen).length;
  if (length < PASSWORD_LENGTH_MIN) return refuse({ kind: 'password-too-short' });
  if (length > PASSWORD_LENGTH_MAX) return refuse({ kind: 'password-too-long' });
  const plain = chosen.toLowerCase();
  const address = emailKey(email) ?? '';
  if (plain === address || plain === address.split('@')[0]) return refuse({ kind: 'password-is-the-email' });
  if (MOST_GUESSED.has(plain) || new Set(plain).size < 2) return refuse({ kind: 'password-is-easily-guessed' });
  return accept(chosen);
}
