import { createHash } from 'node:crypto';
import { type Instant, MINUTE, plus, SECOND } from '@provender/kernel';
import {
  backOff,
  cancelTimer,
  type Clock,
  type Database,
  fetchDocument,
  type Log,
  scheduleTimer,
  ensureTimer,
  type SourceAnswer,
  type Tx,
} from '@provender/platform';
import { type BrokenAnswer, readWarehouseAnswer } from '../domain/warehouse-answer.ts';
import {
  lockSource,
  type Mirrored,
  mirror,
  noteFailed,
  noteSynced,
  numberQuestion,
  readSource,
} from '../store/warehouses.ts';

/** The name of the timer that mirrors the warehouses; one for all. */
export const WAREHOUSE_SYNC = 'warehouse-sync';

export const SYNC_EVERY = 5 * MINUTE;
/** However fast business time runs, the source is asked no more often than this by the wall. */
const SYNC_WALL_EVERY_MIN = 5 * SECOND;
const RETRY_FIRST = 10 * SECOND;

const ANSWER_MILLISECONDS_MAX = 10_000;
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

/** A question to the source and what came of it, before anybody has judged it. */
export type Asked = { readonly number: number; readonly answer: SourceAnswer };

export type SyncOutcome =
  | ({ readonly kind: 'synced' } & Mirrored)
  /** Nothing was changed: the source is down, slow, or not to be believed. */
  | { readonly kind: 'failed'; readonly detail: string; readonly faults: BrokenAnswer['faults'] }
  /** The answer to a later question has been taken already. */
  | { readonly kind: 'superseded' };

const NOTHING_CHANGED: Mirrored = { changed: 0, missing: 0 };

/**
 * Asks the source for everything. Nothing is locked meanwhile: what comes back is applied in a transaction of its own.
 */
export async function askSource(db: Database, url: string, signal: AbortSignal): Promise<Asked> {
  const { number, validators } = await db.withTx((tx) => numberQuestion(tx, hashOf(url)));
  const answer = await fetchDocument({
    url,
    validators,
    timeoutMilliseconds: ANSWER_MILLISECONDS_MAX,
    bodyBytesMax: ANSWER_BYTES_MAX,
    signal,
  });
  return { number, answer };
}

/**
 * Makes the mirror what the source has answered. An answer that is wrong in any part changes nothing but the mark since
 * when the mirror is stale, and the source is asked again soon: later each time, and never later than usual.
 */
export async function applyAnswer(tx: Tx, asked: Asked, clock: Clock): Promise<SyncOutcome> {
  const now = clock.now();
  const { answered, failures } = await lockSource(tx);
  if (asked.number <= answered) return { kind: 'superseded' };
  const judged = judge(asked.answer);
  if (judged.kind === 'failed') {
    await noteFailed(tx, asked.number, now, judged.detail);
    const pause = backOff(failures + 1, RETRY_FIRST, SYNC_EVERY);
    await scheduleTimer(tx, { ...TIMER, dueAt: plus(now, clock.atLeastWall(pause, pause)) });
    return judged;
  }
  const mirrored = judged.listing === undefined ? NOTHING_CHANGED : await mirror(tx, judged.listing, now);
  await noteSynced(tx, asked.number, now, judged.validators);
  return { kind: 'synced', ...mirrored };
}

function judge(answer: SourceAnswer) {
  switch (answer.kind) {
    case 'fault':
      return { kind: 'failed', detail: answer.fault.detail, faults: [] } as const;
    case 'not-modified':
      return { kind: 'unchanged', listing: undefined, validators: undefined } as const;
    case 'document': {
      const read = readWarehouseAnswer(answer.document);
      if (read.ok) return { kind: 'listed', listing: read.value, validators: answer.validators } as const;
      const { faults, faultCount } = read.refusal;
      const detail = `The source sent something that is wrong in ${faultCount} places.`;
      return { kind: 'failed', detail, faults } as const;
    }
  }
}

const TIMER = { name: WAREHOUSE_SYNC, key: 'all' } as const;

/** Sees to it that a source that is set is mirrored from now on: at once where it is another one than before. */
export async function startWarehouseSync(tx: Tx, url: string | undefined, now: Instant): Promise<void> {
  if (url === undefined) return cancelTimer(tx, TIMER.name, TIMER.key);
  const { addressHash } = await readSource(tx);
  if (addressHash === hashOf(url)) await ensureTimer(tx, { ...TIMER, dueAt: now });
  else await scheduleTimer(tx, { ...TIMER, dueAt: now });
}

/** Gives when the mirror is due again. */
export function nextSync(clock: Clock): Instant {
  return plus(clock.now(), clock.atLeastWall(SYNC_EVERY, SYNC_WALL_EVERY_MIN));
}

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}

/** The link of this process to the source. */
export type WarehouseSource = {
  ask(): Promise<Asked>;
  /** Mirrors in the background: asks, and applies what comes. One at a time. */
  wake(): void;
  close(): Promise<void>;
};

/** Opens the link to the source of this address. Nothing is asked before somebody says so. */
export function openWarehouseSource(url: string, db: Database, clock: Clock, log: Log): WarehouseSource {
  const closing = new AbortController();
  let isWanted = false;
  let running: Promise<void> | undefined;

  async function sync(): Promise<void> {
    const asked = await askSource(db, url, closing.signal);
    // What was broken off because this process stops says nothing about the source.
    if (closing.signal.aborted) return;
    const outcome = await db.withTx((tx) => applyAnswer(tx, asked, clock));
    if (outcome.kind === 'failed') log.warn({ faults: outcome.faults }, `Warehouses: ${outcome.detail}`);
  }

  /** Who asks while one is under way may know of something newer: so it is done once more then. */
  async function syncWhileWanted(): Promise<void> {
    while (isWanted && !closing.signal.aborted) {
      isWanted = false;
      await sync().catch((error: unknown) => log.error({ err: error }, 'The warehouses could not be mirrored'));
    }
    running = undefined;
  }

  return {
    ask: () => askSource(db, url, closing.signal),
    wake() {
      isWanted = true;
      running ??= syncWhileWanted();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
