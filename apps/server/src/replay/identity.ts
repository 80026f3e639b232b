import { createHash } from 'node:crypto';
import { type Instant, uuidV7 } from '@provender/kernel';

/** Hashes a file as it streams by. */
export async function hashOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * What makes one replay another than the next: the file and everything that was asked for. Its database is named after
 * it, and all its ids follow from it, so that whatever is done twice has the same id twice.
 */
export function identityOf(fileHash: string, asked: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([fileHash, asked]))
    .digest('hex');
}

/** An id that the same parts always give, and that sorts by its moment. */
export function idFrom(moment: Instant, ...parts: readonly string[]): string {
  return uuidV7(moment, createHash('sha256').update(parts.join('\n')).digest());
}
