import { randomFillSync } from 'node:crypto';
import { uuidV7 } from '@provender/kernel';

/** Where ids come from, so that a simulation can seed them. */
export type Ids = { next(): string };

const RANDOM_BYTES_PER_ID = 10;
const RANDOM_POOL_BYTES = 4_000;

/** UUIDv7 from the wall clock. Random bytes are drawn for 400 ids at once: a system call for each would show. */
export function randomIds(): Ids {
  const pool = new Uint8Array(RANDOM_POOL_BYTES);
  let used = RANDOM_POOL_BYTES;
  return {
    next() {
      if (used >= RANDOM_POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.subarray(used, used + RANDOM_BYTES_PER_ID);
      used += RANDOM_BYTES_PER_ID;
      return uuidV7(Date.now(), bytes);
    },
  };
}
