/** Kafka's own hash of keys, murmur2 as its Java client computes it: so every tool finds a key where we put it. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  const whole = length & ~3;
  let hash = 0x9747b28c ^ length;
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(view.getInt32(index, true), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  if (length > whole) {
    for (let index = length - 1; index >= whole; index -= 1) hash ^= (bytes[index] ?? 0) << (8 * (index - whole));
    hash = Math.imul(hash, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

const MIX = 0x5bd1e995;
/** Sites and accounts that are busy at one time; more only cost a hash each. */
const KEYS_REMEMBERED_MAX = 10_000;

/** Says in which of so many partitions a key is. It remembers keys, since a site comes again with every purchase. */
export function openPartitioner(count: number): (key: string) => number {
  let known = new Map<string, number>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= KEYS_REMEMBERED_MAX) known = new Map();
    const partition = (murmur2(Buffer.from(key)) & 0x7fffffff) % count;
    known.set(key, partition);
    return partition;
  };
}
