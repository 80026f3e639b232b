/** IPv4 networks that are not the public internet's (IANA's registry of special-purpose addresses). */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

export type AddressReach = 'public' | 'loopback' | 'private';

/** Says how far an IP address reaches. What is no address at all counts as private: nothing is sent there. */
export function reachOf(address: string): AddressReach {
  const groups = address.includes(':') ? groupsOf(address) : mapped(address);
  if (groups === undefined) return 'private';
  const inner = embeddedV4(groups);
  if (inner !== undefined) return reachOfV4(inner);
  if (groups.every((group, index) => group === (index === 7 ? 1 : 0))) return 'loopback';
  // Only 2000::/3 is given out to the world; of it documentation, benchmarks and tunnels are not the world.
  const [first = 0, second = 0] = groups;
  const isGlobal = first >> 13 === 1;
  const isSpecial = first === 0x2001 && (second < 0x200 || second === 0xdb8);
  return isGlobal && !isSpecial && first !== 0x3fff ? 'public' : 'private';
}

function reachOfV4(value: number): AddressReach {
  if (value >>> 24 === 127) return 'loopback';
  const isPrivate = PRIVATE_V4.some(([network, bits]) => {
    const from = numberOfV4(network) ?? 0;
    return value >>> (32 - bits) === from >>> (32 - bits);
  });
  return isPrivate ? 'private' : 'public';
}

function mapped(address: string): number[] | undefined {
  const value = numberOfV4(address);
  return value === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, value >>> 16, value & 0xffff];
}

/** The IPv4 address that an IPv6 address stands for: mapped, translated (64:ff9b::/96) or 6to4 (2002::/16). */
function embeddedV4(groups: readonly number[]): number | undefined {
  const [first = 0, second = 0, third = 0, , , sixth = 0, seventh = 0, eighth = 0] = groups;
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0);
  const last = ((seventh << 16) | eighth) >>> 0;
  if (isZero(0, 5) && (sixth === 0xffff || (sixth === 0 && last > 1))) return last;
  if (first === 0x64 && second === 0xff9b && isZero(2, 6)) return last;
  if (first === 0x2002) return ((second << 16) | third) >>> 0;
  return undefined;
}

function numberOfV4(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => ((value << 8) | Number(part)) >>> 0, 0);
}

/** The eight groups of an IPv6 address, a zone aside; undefined where it is none. */
function groupsOf(address: string): number[] | undefined {
  const [bare = ''] = address.split('%');
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  const v4 = dotted?.[2] === undefined ? undefined : numberOfV4(dotted[2]);
  if (dotted !== null && v4 === undefined) return undefined;
  const text = v4 === undefined ? bare : `${dotted?.[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  return all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined;
}
