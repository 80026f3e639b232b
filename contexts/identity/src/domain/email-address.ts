/**
 * What makes two spellings of an e-mail address the same account: letters’ case and Unicode's compatible forms do not
 * count. Gives undefined for text that no database could hold (NUL, lone surrogates): it is nobody's address.
 */
export function emailKey(email: string): string | undefined {
  if (email.includes('\0') || !email.isWellFormed()) return undefined;
  return email.normalize('NFKC').trim().toLowerCase();
}
