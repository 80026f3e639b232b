import { openPartitioner } from './partitions.ts';
import type { Lease, PartitionEnd, RelayStore } from './relay-store.ts';

const KEYS_READ_MAX = 20_000;

/**
 * Where each partition of the topic ends, as far as the log has been carried. What no relay has noted (the first one
 * of all, or after `republish`) is found by reading the log backwards, to its beginning where a partition is empty.
 * `stillMine` is asked between reads, which may take long on a long log. Gives undefined where it says no.
 */
export async function relayChain(
  store: RelayStore,
  lease: Lease,
  count: number,
  stillMine: () => Promise<boolean>,
): Promise<PartitionEnd[] | undefined> {
  const noted = await store.ends();
  if (noted.length > 0 && noted.length !== count) {
    throw new Error(
      `The topic has ${count} partitions, but the log has been carried into ${noted.length}: ` +
        'keys would change their partition, and lose their order (docs/how-to/operate.md)',
    );
  }
  if (noted.length === count) return noted;
  const partitionOf = openPartitioner(count);
  const found = new Map<number, number>();
  let from = lease.position;
  let lowest = from + 1;
  while (from > 0 && found.size < count) {
    const keys = await store.keysBack(from, KEYS_READ_MAX);
    for (const { key, position } of keys) {
      const partition = partitionOf(key);
      if (!found.has(partition)) found.set(partition, position);
      lowest = position;
    }
    from = keys.length < KEYS_READ_MAX ? 0 : lowest - 1;
    if (!(await stillMine())) return undefined;
  }
  return Array.from({ length: count }, (_, partition) => {
    const position = found.get(partition);
    // Of an empty partition all is known where the log is whole; of one that was cut, that nothing older can be read.
    if (position === undefined) return { partition, position: lowest - 1, begins: lowest > 1, nextOffset: 0 };
    return { partition, position, begins: false, nextOffset: 0 };
  });
}
