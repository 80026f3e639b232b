import type { GroupAssignment, GroupPartitionsAssigner } from '@platformatic/kafka';

/** Which of the partitions of each topic a member has had until now. */
export function ownedAsMetadata(owned: readonly GroupAssignment[]): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(owned.map(({ topic, partitions }) => [topic, partitions]))));
}

/**
 * Shares out each topic's partitions evenly, and leaves with each member what it has had as far as its share goes: a
 * process that comes or goes moves no more than it must.
 */
export const stickyAssigner: GroupPartitionsAssigner = (_current, members, topics, metadata) => {
  const memberIds = [...members.keys()].toSorted();
  const owned = new Map(memberIds.map((id) => [id, ownedBy(members.get(id)?.metadata)]));
  const shares = new Map(memberIds.map((id) => [id, new Map<string, GroupAssignment>()]));
  const sizes = new Map(memberIds.map((id) => [id, 0]));
  for (const topic of [...topics].toSorted()) {
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
    const wishes = memberIds.map((id) => ({ id, wanted: owned.get(id)?.get(topic) ?? [], size: sizes.get(id) ?? 0 }));
    for (const [id, partitions] of shareOut(count, wishes)) {
      if (partitions.length === 0) continue;
      shares.get(id)?.set(topic, { topic, partitions });
      sizes.set(id, (sizes.get(id) ?? 0) + partitions.length);
    }
  }
  return memberIds.map((memberId) => ({ memberId, assignments: shares.get(memberId) ?? new Map() }));
};

type Wish = { readonly id: string; readonly wanted: readonly number[]; readonly size: number };

/** One topic. A share is a partition larger than another's at most; the larger ones go to who has least so far. */
function shareOut(count: number, wishes: readonly Wish[]): Map<string, number[]> {
  const least = Math.floor(count / wishes.length);
  const larger = new Set(
    wishes
      .toSorted((left, right) => left.size - right.size || right.wanted.length - left.wanted.length)
      .slice(0, count % wishes.length)
      .map(({ id }) => id),
  );
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  const shares = new Map<string, number[]>();
  const limitOf = (id: string) => least + (larger.has(id) ? 1 : 0);
  for (const { id, wanted } of wishes) {
    const kept = wanted.filter((partition) => free.has(partition)).slice(0, limitOf(id));
    for (const partition of kept) free.delete(partition);
    shares.set(id, kept);
  }
  for (const { id } of wishes) {
    const share = shares.get(id) ?? [];
    for (const partition of free) {
      if (share.length >= limitOf(id)) break;
      share.push(partition);
      free.delete(partition);
    }
    shares.set(id, share);
  }
  return shares;
}

/** What another member says of itself; whatever it is, it can only make the shares less sticky. */
function ownedBy(metadata: Buffer | string | undefined): Map<string, number[]> {
  try {
    const parsed: unknown = JSON.parse((metadata ?? '{}').toString());
    if (typeof parsed !== 'object' || parsed === null) return new Map();
    return new Map(
      Object.entries(parsed).map(([topic, partitions]) => [
        topic,
        Array.isArray(partitions) ? partitions.filter((each) => Number.isInteger(each)) : [],
      ]),
    );
  } catch {
    return new Map();
  }
}
