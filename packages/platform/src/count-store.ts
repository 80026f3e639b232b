import { openDatabase, statement } from './database.ts';
import type { Counted, SharedCounts } from './http/rate-counter.ts';

// In order of the keys, so that two processes never wait for each other. Whoever counts first begins the window.
const ADD = statement(
  'add-counts',
  `INSERT INTO request_counts AS counted (key, ends_at, count)
   SELECT key, to_timestamp(ends_at / 1000.0), count
   FROM unnest($1::text[], $2::float8[], $3::bigint[]) AS more (key, ends_at, count) ORDER BY key
   ON CONFLICT (key) DO UPDATE SET
     ends_at = CASE WHEN counted.ends_at > now() THEN counted.ends_at ELSE excluded.ends_at END,
     count = CASE WHEN counted.ends_at > now() THEN counted.count ELSE 0 END + excluded.count
   RETURNING key, extract(epoch FROM ends_at) * 1000 AS "endsAt", count`,
);
const PURGE = statement('purge-counts', "DELETE FROM request_counts WHERE ends_at < now() - interval '1 minute'");

export type CountStore = SharedCounts & { close(): Promise<void> };

/** The counts of requests in the database of the installation. It connects when the first caller comes close. */
export function openCountStore(ownerUrl: string): CountStore {
  const db = openDatabase({
    url: ownerUrl,
    schema: 'platform',
    connectionsMax: 1,
    applicationName: 'provender request counts',
    // A count that is lost with the machine is no loss.
    synchronousCommit: 'off',
  });
  return {
    async add(counts) {
      const values = [
        counts.map(({ key }) => key),
        counts.map(({ endsAt }) => endsAt),
        counts.map(({ count }) => count),
      ];
      const rows = await db.withTx(async (tx) => {
        const [totals] = await Promise.all([tx.query<Counted>(ADD, values), tx.query(PURGE)]);
        return totals;
      });
      return rows.map(({ key, endsAt, count }) => ({ key, endsAt: Number(endsAt), count }));
    },
    close: () => db.close(),
  };
}
