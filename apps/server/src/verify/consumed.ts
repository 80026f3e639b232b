import type { ContextName } from '@provender/contracts';

// How far one context has come in what another says. Where the log is carried to a topic (a relay has had it, so its
// epoch is above zero), the consumer has a cursor for each partition, which knows of that partition's events only.

/** True where the consumer has taken in all that the source has said. */
export function isLevel(consumer: ContextName, source: ContextName): string {
  return `(SELECT relay.epoch > 0 AND relay.position >= head.position OR head.position
        = (SELECT coalesce(min(position), 0) FROM ${consumer}.cursors WHERE source = '${source}')
      FROM ${source}.outbox_head AS head CROSS JOIN ${source}.relay)
      AND NOT EXISTS (SELECT FROM ${source}.relay_partitions AS carried
        LEFT JOIN ${consumer}.cursors AS mine ON mine.source = '${source}' AND mine.partition = carried.partition
        WHERE NOT carried.begins AND coalesce(mine.position, 0) < carried.position)
      AND NOT EXISTS (SELECT FROM ${consumer}.parked_events WHERE source = '${source}')`;
}

/** The first event of each partition of the source that the consumer has not come to, since before :now - :patience. */
export function unreadInTime(consumer: ContextName, source: ContextName): string {
  // The log of an idle partition is not searched from where its cursor stands, but from where the relay has come to.
  return `
      WITH cursor AS MATERIALIZED (
        SELECT partition, position FROM ${consumer}.cursors WHERE source = '${source}'
      ), part AS (
        SELECT relay.position AS carried, numbers.partition, numbers.count, coalesce(cursor.position, 0) AS position,
          coalesce((SELECT ends.position FROM ${source}.relay_partitions AS ends
            WHERE ends.partition = numbers.partition AND NOT ends.begins), 0) AS end
        FROM ${source}.relay
        CROSS JOIN LATERAL (
          SELECT CASE WHEN relay.epoch > 0 THEN coalesce(max(partition) + 1, 1) ELSE 1 END AS count FROM cursor
        ) AS parts
        CROSS JOIN LATERAL (
          SELECT partition, parts.count FROM generate_series(0, parts.count - 1) AS partition
        ) AS numbers
        LEFT JOIN cursor ON cursor.partition = numbers.partition
      )
      SELECT '${source}' AS source, part.partition, part.position, unread.position AS unread, unread.time
      FROM part CROSS JOIN LATERAL (
        SELECT outbox.position, outbox.time FROM ${source}.outbox
        WHERE outbox.position > CASE WHEN part.count = 1 OR part.position < part.end THEN part.position
            ELSE greatest(part.position, part.carried) END
          AND (part.count = 1 OR ${partitionOf('outbox.key', 'part.count')} = part.partition)
        ORDER BY outbox.position LIMIT 1
      ) AS unread
      WHERE unread.time < :now - :patience`;
}

/** The multiplier of murmur2 times a number, in 32 bits: by its halves, since bigint has no room for the product. */
function mixed(value: string): string {
  return `((${value} * 59797 + (((${value} * 23505) & 65535) << 16)) & 4294967295)`;
}

/** Kafka's partition of a key, as its clients compute it (murmur2 over the key's bytes), from a text and a count. */
export function partitionOf(key: string, count: string): string {
  const word = [0, 1, 2, 3].map((byte) => `(get_byte(bytes, at + ${byte})::bigint << ${8 * byte})`).join(' | ');
  const tail = [0, 1, 2]
    .map(
      (byte) => `CASE WHEN at + ${byte} < length THEN get_byte(bytes, at + ${byte})::bigint << ${8 * byte} ELSE 0 END`,
    )
    .join(' | ');
  return `(
    WITH RECURSIVE text AS (
      SELECT convert_to(${key}, 'UTF8') AS bytes, octet_length(convert_to(${key}, 'UTF8')) AS length
    ), murmur (at, hash) AS (
      SELECT 0, 2538058380 # length::bigint FROM text
      UNION ALL
      SELECT at + 4, ${mixed('hash')} # third FROM murmur CROSS JOIN text
      CROSS JOIN LATERAL (SELECT ${word} AS word) AS words
      CROSS JOIN LATERAL (SELECT ${mixed('word')} AS first) AS firsts
      CROSS JOIN LATERAL (SELECT first # (first >> 24) AS second) AS seconds
      CROSS JOIN LATERAL (SELECT ${mixed('second')} AS third) AS thirds
      WHERE at + 4 <= length
    ), whole AS (
      SELECT CASE WHEN at < length THEN ${mixed('(hash # ended)')} ELSE hash END AS hash
      FROM murmur CROSS JOIN text CROSS JOIN LATERAL (SELECT ${tail} AS ended) AS tails
      ORDER BY at DESC LIMIT 1
    ), stirred AS (
      SELECT hash # (hash >> 13) AS hash FROM whole
    ), last AS (SELECT ${mixed('hash')} AS hash FROM stirred)
    SELECT (((hash # (hash >> 15)) & 2147483647) % ${count})::integer FROM last)`;
}
