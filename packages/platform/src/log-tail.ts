import type { RecordedEvent } from '@provender/contracts';

/**
 * How many just-committed events of a log a process keeps in memory: twenty of the largest sets. Who is further behind
 * reads the table, which is as fast; more would only be work for the garbage collector.
 */
const TAIL_EVENTS_MAX = 4_000;

/** The latest events of one log, without a gap. */
export class LogTail {
  #events: RecordedEvent[] = [];

  push(events: readonly RecordedEvent[]): void {
    const first = events[0];
    if (first === undefined) return;
    const last = this.#events.at(-1);
    // A gap means that another process appended in between; a step back, that an earlier commit was heard of late.
    if (last !== undefined && first.position <= last.position) return;
    if (last !== undefined && first.position > last.position + 1) this.#events = [];
    for (const event of events) this.#events.push(event);
    if (this.#events.length > 2 * TAIL_EVENTS_MAX) this.#events = this.#events.slice(-TAIL_EVENTS_MAX);
  }

  /** The events after a position, or undefined where the table must be asked. */
  after(position: number, eventsMax: number): readonly RecordedEvent[] | undefined {
    const first = this.#events[0];
    if (first === undefined || position < first.position - 1) return undefined;
    const start = position - first.position + 1;
    return this.#events.slice(start, start + eventsMax);
  }

  clear(): void {
    this.#events = [];
  }
}
