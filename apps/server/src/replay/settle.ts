import type { System } from '../system.ts';

/** Something is wrong with the machine, not with the replay: the same command goes on where it was. */
export class Stuck extends Error {}

/** What is not done on the wall after so long is stuck: the database is away, or lost its last commits. */
const SETTLE_MILLISECONDS_MAX = 60_000;

/**
 * Waits until every context has consumed all that any has said. Asks no database: only this process writes here, so
 * what it remembers of its own commits is all there is.
 */
export async function settleSystem(system: System): Promise<void> {
  await inTime(settle(system));
}

/** Waits, but not for ever. */
export async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Stuck('The contexts do not come to rest')), SETTLE_MILLISECONDS_MAX);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

async function settle({ contexts }: System): Promise<void> {
  for (let before = ''; ; ) {
    const now = [...contexts.values()].map((each) => each.lastPosition()).join(' ');
    if (now === before) return;
    before = now;
    for (const { reactor } of contexts.values()) {
      for (const source of reactor.sources) {
        const position = contexts.get(source)?.lastPosition() ?? 0;
        if (position > 0) await reactor.reached(source, position);
      }
    }
  }
}
