import type { NoticeChannel } from '@provender/contracts';
import type { Milliseconds } from '@provender/kernel';
import { afterWall, type ContextPlatform } from '@provender/platform';
import type { Outgoing } from '../store/messages.ts';

/** What came of trying to send a message. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly detail: string; readonly milliseconds: Milliseconds }
  | {
      readonly kind: 'failed';
      /** What the other side said, or why nothing was heard of it: for the record, no secrets. */
      readonly detail: string;
      readonly milliseconds: Milliseconds;
      /** Trying again would come to the same. */
      readonly isFinal: boolean;
      /** The door as a whole does not open: others would fail as well. */
      readonly isClosed: boolean;
      /** The other side wants no more, ever. */
      readonly isUnwanted?: boolean;
    }
  /** Not tried, since another one has found the door closed. */
  | { readonly kind: 'untried' };

/**
 * A way to tell somebody something. Each is one file here and one line in `channels.ts`; who is told what stands in
 * `domain/audience.ts`, what is on its way in the store, when it is tried again in `domain/retry.ts`.
 */
export type Channel = {
  readonly name: NoticeChannel;
  /** Sends messages of one lane, each on its own account: gives an outcome for each, in order. Never throws. */
  send(messages: readonly Outgoing[]): Promise<readonly Outcome[]>;
  close(): Promise<void>;
};

/** Gives the channel; undefined where the settings have no place for it. */
export type OpenChannel = (platform: ContextPlatform) => Channel | undefined;

const UNTRIED: Outcome = { kind: 'untried' };

/**
 * Sends messages, so many side by side, until one finds the door closed: what has not begun by then is left for later.
 * Those of one group go one after the other, in order.
 */
export async function sendEach(
  messages: readonly Outgoing[],
  sending: { readonly atOnceMax: number; readonly groupOf: (message: Outgoing) => string },
  sendOne: (message: Outgoing) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = messages.map(() => UNTRIED);
  const groups = Map.groupBy(messages.entries(), ([, message]) => sending.groupOf(message)).values();
  let isClosed = false;
  async function takeGroups(): Promise<void> {
    for (const group of groups) {
      for (const [index, message] of group) {
        if (isClosed) return;
        const outcome = await sendOne(message);
        outcomes[index] = outcome;
        if (outcome.kind === 'failed' && outcome.isClosed) isClosed = true;
      }
    }
  }
  await Promise.all(Array.from({ length: sending.atOnceMax }, takeGroups));
  return outcomes;
}

/** Waits so long for an answer; whoever gives none in that time counts as not there. */
export function inTime<Value>(answer: Promise<Value>, milliseconds: Milliseconds): Promise<Value> {
  return new Promise((resolve, reject) => {
    const relax = afterWall(milliseconds, () => reject(new Error('No answer in time')));
    answer.then(resolve, reject).finally(relax);
  });
}

const DETAIL_LENGTH_MAX = 500;

/** A line for the record: without control characters, and not longer than it takes. */
export function detailOf(error: unknown): string {
  const { code } = typeof error === 'object' && error !== null && 'code' in error ? error : { code: undefined };
  const text = error instanceof Error ? error.message : String(error);
  const line = (typeof code === 'string' && !text.includes(code) ? `${code}: ${text}` : text) || 'No reason was given';
  return Array.from(line)
    .map((character) => (character < ' ' ? ' ' : character))
    .join('')
    .slice(0, DETAIL_LENGTH_MAX);
}
