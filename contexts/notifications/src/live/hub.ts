import type { LiveMessage } from '@provender/contracts';
import type { Milliseconds } from '@provender/kernel';
import { everyWall, type Log, type Query } from '@provender/platform';
import { type Hearing, hearingKey, hears, isAfter, type LivePlace } from '../domain/live.ts';
import { type LiveSet, liveBounds, liveSetsAfter } from '../store/live.ts';

/** Messages that are kept in memory for those who come back after a moment. */
const KEPT_MESSAGES_MAX = 20_000;
/** Another process may have consumed: the truth is the table. One question for all listeners of this process. */
const LOOK_EVERY: Milliseconds = 500;
/** Shorter than any proxy gives up on a silent connection; and the place goes along, so that it is never an old one. */
const HEARTBEAT_EVERY: Milliseconds = 15_000;
/** What may wait in our memory for a listener who does not read; beyond it the listener is dropped, not the server. */
const UNREAD_BYTES_MAX = 256 * 1_024;
/** Pages that a listener who comes back may take from the table before it is told to begin anew. */
const PAGES_MAX = 100;

/** Sets that are read from the table when the first listener comes, for those who come back after a restart. */
const READ_AHEAD_SETS = 200;

/** A listener's end of the line: what a response gives. */
export type Line = {
  write(chunk: string | Buffer): unknown;
  end(): unknown;
  destroy(): unknown;
  /** Resolves once what was written has been read, or will not be in time. */
  drained(): Promise<unknown>;
  readonly writableLength: number;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
};

/** Somebody who listens. */
export type Listening = {
  /** Hears only this from now on. */
  hearAs(hearing: Hearing): void;
  leave(): void;
};

export type LiveHub = {
  /** Lets somebody listen, from a place on or from now on. */
  listen(hearing: Hearing, line: Line, from: LivePlace | undefined): Promise<Listening>;
  /** Something may have been said. */
  wake(): void;
  listenerCount(): number;
  /** Ends all lines. */
  close(): void;
};

type Group = { readonly hearing: Hearing; readonly lines: Set<Line> };

/**
 * Tells listeners what is said live. One question to the database serves all of them: sets are read once, written once
 * for each group of listeners who want the same, and the same bytes go to each. A thousand listeners cost a thousand
 * writes to sockets and nothing else.
 */
export function openLiveHub(db: Query, log: Log): LiveHub {
  const groups = new Map<string, Group>();
  const kept = openKept();
  let head = 0;
  let begun: Promise<void> | undefined;
  let looking: Promise<void> | undefined;
  let isAskedAgain = false;
  let isClosed = false;
  let joining = 0;
  let stopTimers: (() => void)[] = [];

  /** The first listener sets the hub going; what was said just before is read for those who come back. */
  function begin(): Promise<void> {
    begun ??= readAhead().catch((error: unknown) => {
      rest();
      throw error;
    });
    return begun;
  }

  async function readAhead(): Promise<void> {
    stopTimers = [everyWall(HEARTBEAT_EVERY, beat)];
    const { head: last, first } = await liveBounds(db);
    head = Math.max(first - 1, last - READ_AHEAD_SETS, 0);
    await lookNow();
    stopTimers.push(everyWall(LOOK_EVERY, wake));
  }

  function rest(): void {
    for (const stop of stopTimers) stop();
    stopTimers = [];
    begun = undefined;
    kept.forget();
  }

  function wake(): void {
    if (begun === undefined) return;
    isAskedAgain = true;
    lookNow().catch((error: unknown) => log.debug({ err: error }, 'Live messages cannot be read for the moment'));
  }

  /** Whoever asks while it is being looked waits for that look. */
  function lookNow(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function look(): Promise<void> {
    do {
      isAskedAgain = false;
      const sets = await liveSetsAfter(db, head);
      for (const set of sets) tell(set);
      if (sets.length > 0) isAskedAgain = true;
    } while (isAskedAgain);
  }

  function tell(set: LiveSet): void {
    if (set.number <= head) return;
    head = set.number;
    kept.add(set);
    for (const { hearing, lines } of groups.values()) {
      const chunk = chunkOf([set], hearing, undefined);
      if (chunk !== '') send(lines, Buffer.from(chunk));
    }
  }

  function send(lines: Iterable<Line>, chunk: Buffer): void {
    for (const line of lines) {
      if (line.writableLength > UNREAD_BYTES_MAX) {
        log.info({ unreadBytes: line.writableLength }, 'A live listener does not read, and is dropped');
        line.destroy();
      } else write(line, chunk);
    }
  }

  function beat(): void {
    const chunk = Buffer.from(`: still here\nid: ${head}\n\n`);
    for (const { lines } of groups.values()) send(lines, chunk);
  }

  /**
   * Gives somebody a page of what was said since they left, and where they stand then; undefined: nobody knows any
   * more.
   */
  async function catchUp(hearing: Hearing, line: Line, from: LivePlace): Promise<LivePlace | undefined> {
    if (from.number > head) {
      await lookNow();
      return from.number > head ? undefined : from;
    }
    const sets = kept.from(from.number) ?? (await older(from.number));
    const chunk = sets === undefined ? '' : chunkOf(sets, hearing, from);
    if (chunk !== '') write(line, chunk);
    const last = sets?.at(-1);
    if (last === undefined) return undefined;
    if (line.writableLength > UNREAD_BYTES_MAX) await line.drained();
    return { number: last.number, index: Number.POSITIVE_INFINITY };
  }

  /** From the table: the set itself may have been heard in part only, and the first that is there may be the next. */
  async function older(number: number): Promise<LiveSet[] | undefined> {
    const sets = await liveSetsAfter(db, number - 1);
    return (sets[0]?.number ?? Number.POSITIVE_INFINITY) <= number + 1 ? sets : undefined;
  }

  function isLevel(place: LivePlace): boolean {
    return place.number === head && place.index === Number.POSITIVE_INFINITY;
  }

  async function join(hearing: Hearing, line: Line, from: LivePlace | undefined): Promise<Group> {
    await begin();
    let place = from;
    for (let pages = 0; place !== undefined && !isLevel(place); pages += 1) {
      place =
        pages < PAGES_MAX && !line.destroyed && !line.writableEnded ? await catchUp(hearing, line, place) : undefined;
    }
    // Nothing is awaited from here on: what is said next is told to this line too, and nothing is told twice.
    if (place === undefined) write(line, frame(from === undefined ? 'begin' : 'reset', `${head}`, '{}'));
    return enter(hearing, line);
  }

  function enter(hearing: Hearing, line: Line): Group {
    const key = hearingKey(hearing);
    const group = groups.get(key) ?? { hearing, lines: new Set<Line>() };
    groups.set(key, group);
    group.lines.add(line);
    return group;
  }

  /** Whoever has left before leaves nothing: another group may go by the same key by now. */
  function leave(group: Group, line: Line): boolean {
    if (!group.lines.delete(line)) return false;
    if (group.lines.size === 0) groups.delete(hearingKey(group.hearing));
    return true;
  }

  function listening(first: Group, line: Line): Listening {
    let group = first;
    return {
      hearAs(hearing) {
        if (hearingKey(hearing) !== hearingKey(group.hearing) && leave(group, line)) group = enter(hearing, line);
      },
      leave() {
        leave(group, line);
        if (groups.size === 0 && joining === 0) rest();
      },
    };
  }

  return {
    async listen(hearing, line, from) {
      joining += 1;
      const group = await join(hearing, line, from).finally(() => {
        joining -= 1;
      });
      if (isClosed) line.end();
      return listening(group, line);
    },
    wake,
    listenerCount: () => [...groups.values()].reduce((sum, { lines }) => sum + lines.size, 0),
    close() {
      isClosed = true;
      rest();
      for (const { lines } of groups.values()) for (const line of lines) line.end();
    },
  };
}

/** A line that is ended may take a while to close; writing to it would be an error that nobody hears of. */
function write(line: Line, chunk: string | Buffer): void {
  if (!line.destroyed && !line.writableEnded) line.write(chunk);
}

/** The last sets, in memory. */
function openKept() {
  let sets: LiveSet[] = [];
  let count = 0;
  return {
    add(set: LiveSet) {
      sets.push(set);
      count += set.messages.length;
      while (count > KEPT_MESSAGES_MAX && sets.length > 1) count -= sets.shift()?.messages.length ?? 0;
    },
    /** All sets from a number on, that one too; undefined where memory does not reach back so far. */
    from(number: number): LiveSet[] | undefined {
      const first = sets[0];
      return first === undefined || first.number > number ? undefined : sets.slice(number - first.number);
    },
    forget() {
      sets = [];
      count = 0;
    },
  };
}

/** The frames of all that a listener hears of these sets, after a place. */
function chunkOf(sets: readonly LiveSet[], hearing: Hearing, after: LivePlace | undefined): string {
  let chunk = '';
  for (const { number, messages } of sets) {
    for (const [index, message] of messages.entries()) {
      if (after !== undefined && !isAfter(after, number, index)) continue;
      if (hears(hearing, message)) chunk += frame(message.topic, `${number}.${index}`, JSON.stringify(shown(message)));
    }
  }
  return chunk;
}

function shown({ topic: _topic, ...message }: LiveMessage): object {
  return message;
}

/** One event of the stream. JSON has no line breaks of its own, so each is one line of data. */
function frame(event: string, id: string, data: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}
