/** So often has somebody asked in a window of wall time (milliseconds). */
export type Counted = { readonly key: string; readonly endsAt: number; readonly count: number };

/** Where all processes of an installation add up what each of them has counted. */
export type SharedCounts = {
  /** Adds these, of which no two have one key. Gives what they come to in all; a window that runs already counts. */
  add(counts: readonly Counted[]): Promise<readonly Counted[]>;
};

export type RateCounter = {
  /** Counts one more. Gives how many it are in this window, and for how long that lasts. */
  count(key: string, windowMilliseconds: number, max: number): { readonly current: number; readonly ttl: number };
  /** Adds up with the other processes. */
  share(): Promise<void>;
};

const CALLERS_COUNTED_MAX = 20_000;
/** Of a limit: who is further away from it is nobody else's business, and costs no query. */
const KEPT_TO_ONESELF = 0.1;

type Entry = {
  readonly key: string;
  endsAt: number;
  /** In all processes, as far as this one has heard. */
  known: number;
  /** Here, and not yet added to the others. */
  unshared: number;
};

/**
 * Counts in memory, so that no request waits for it, and now and then adds up with the other processes what came close
 * to a limit. A caller who asks all of them at once so gets a little more than the limit: a tenth of it and what comes
 * until the next adding up, for each process beyond the first.
 */
export function openRateCounter(shared: SharedCounts | undefined, now: () => number = Date.now): RateCounter {
  const entries = new Map<string, Entry>();
  const toShare = new Set<Entry>();

  function entryOf(key: string, windowMilliseconds: number): Entry {
    const found = entries.get(key);
    if (found !== undefined && found.endsAt > now()) return found;
    if (found !== undefined) forget(found);
    const [oldest] = entries.size >= CALLERS_COUNTED_MAX ? entries.values() : [];
    if (oldest !== undefined) forget(oldest);
    const entry = { key, endsAt: now() + windowMilliseconds, known: 0, unshared: 0 };
    entries.set(key, entry);
    return entry;
  }

  function forget(entry: Entry): void {
    entries.delete(entry.key);
    toShare.delete(entry);
  }

  return {
    count(key, windowMilliseconds, max) {
      const entry = entryOf(key, windowMilliseconds);
      entry.unshared += 1;
      const current = entry.known + entry.unshared;
      if (shared !== undefined && current > max * KEPT_TO_ONESELF) toShare.add(entry);
      return { current, ttl: entry.endsAt - now() };
    },
    async share() {
      if (shared === undefined || toShare.size === 0) return;
      const sharing = [...toShare].map((entry) => ({ entry, count: entry.unshared }));
      toShare.clear();
      try {
        const totals = await shared.add(sharing.map(({ entry: { key, endsAt }, count }) => ({ key, endsAt, count })));
        const byKey = new Map(totals.map((total) => [total.key, total]));
        for (const { entry, count } of sharing) {
          const total = byKey.get(entry.key);
          if (total === undefined) continue;
          entry.known = total.count;
          entry.unshared -= count;
          entry.endsAt = total.endsAt;
        }
      } catch {
        // A database that is away limits nobody's work: each process goes on by what it knows, and adds it up later.
        for (const { entry } of sharing) toShare.add(entry);
      }
    },
  };
}
