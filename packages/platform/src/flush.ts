import { type Database, statement } from './database.ts';

// Whatever the connection: a commit waits until the disk has all that was committed before it, by whomever.
const FLUSH = statement('flush', "SELECT pg_logical_emit_message(true, 'provender', '')");

/**
 * Gives what resolves once the disk has all that was committed in this cluster before it was called. Takes a database
 * object whose commits wait for the disk. One wait at a time: whoever asks during one shares the next with all who do.
 */
export function openFlush(db: Database): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function flush(): Promise<void> {
    // Whoever asked for that one hears of its failure.
    await running?.catch(() => {});
    running = next;
    next = undefined;
    await db.withTx((tx) => tx.query(FLUSH));
  }

  return () => (next ??= flush());
}
