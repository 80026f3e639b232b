import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '@provender/contracts';
import { hasHeard, type ServerStore } from '@provender/platform';
import type { System } from '../system.ts';
import { type DemoStep, demoSteps } from './steps.ts';

/** How far the demo had come in installations that loaded it in one piece. */
const WHOLE = 'demo';
const RETRY_MILLISECONDS = 100;
const RETRY_MILLISECONDS_MAX = 2_000;
/** So long a process is not ready while its part of the demo waits for what other contexts have to say first. */
const UNREADY_MILLISECONDS_MAX = 30_000;
/** A town that is not there by then is not coming; the next start tries again. */
const PATIENCE_MILLISECONDS = 15 * 60 * 1_000;

export type Demo = {
  /** Marks the contexts that are empty as the demo's, before they hear of anything. */
  claim(): Promise<void>;
  /** Resolves when it is there, or after half a minute, and then goes on meanwhile. */
  load(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Fills an empty town: sites, products, schedules, people, money, and a first shelf, so that there is something to buy
 * at any hour. Each context does its own part, in whatever process and database it runs, when what it builds on has
 * come to it in events. Every part has its own ids, so that a start that was cut off goes on where it was. A context
 * that somebody else has begun to use is left alone. Of several processes of one context, one does it.
 */
export function openDemo(system: System, store: ServerStore, feedUrl: string | undefined): Demo {
  const stopping = new AbortController();
  let loading: Promise<void> = Promise.resolve();

  /** In one database everything is heard at once. Elsewhere nobody waits for who may be away: a step is tried again. */
  async function heard(): Promise<void> {
    if (system.transport.consumers === 'one') await system.idle();
  }

  async function loadAll(steps: readonly DemoStep[]): Promise<void> {
    for (const step of steps) {
      const progress = progressOf(step.context);
      if ((await store.progressOf(progress)) !== 'begun') continue;
      await heard();
      await store.alone(progress, async () => {
        if (await untilTaken(() => step.take(system, feedUrl), stopping.signal))
          await store.noteProgress(progress, 'done');
      });
    }
    await heard();
  }

  return {
    async claim() {
      if ((await store.progressOf(WHOLE)) === 'done') return;
      for (const { context } of stepsHere(system)) {
        const isNew = (await store.progressOf(progressOf(context))) === undefined;
        if (isNew && (await isEmpty(system, context))) await store.noteProgress(progressOf(context), 'begun');
      }
    },
    async load() {
      loading = loadAll(stepsHere(system));
      // Whoever stops before it is there need not hear of what went wrong with it; a demo that is refused is a bug.
      loading.catch((error: unknown) => {
        if (!stopping.signal.aborted) system.log.error({ err: error }, 'The demo town is not complete');
      });
      const unready = new AbortController();
      const late = wait(UNREADY_MILLISECONDS_MAX, undefined, { signal: unready.signal }).catch(() => {});
      await Promise.race([loading, late]);
      unready.abort();
    },
    async stop() {
      stopping.abort();
      await loading.catch(() => {});
    },
  };
}

function progressOf(context: ContextName): string {
  return `demo ${context}`;
}

function stepsHere({ contexts }: System): DemoStep[] {
  return demoSteps.filter(({ context }) => contexts.has(context));
}

/** It has said nothing, and has heard of nothing that others do. */
async function isEmpty({ contexts }: System, context: ContextName): Promise<boolean> {
  const running = contexts.get(context);
  return running !== undefined && (await running.head()) === 0 && !(await hasHeard(running.db));
}

/** Tries until it is taken. False where the process stops first; throws where it never is. */
async function untilTaken(take: () => Promise<string | undefined>, stopping: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + PATIENCE_MILLISECONDS;
  for (let pause = RETRY_MILLISECONDS; !stopping.aborted; pause = Math.min(pause * 2, RETRY_MILLISECONDS_MAX)) {
    const refused = await take();
    if (refused === undefined) return true;
    if (performance.now() > giveUpAt) throw new Error(`The demo town was refused: ${refused}`);
    await wait(pause, undefined, { signal: stopping }).catch(() => {});
  }
  return false;
}
