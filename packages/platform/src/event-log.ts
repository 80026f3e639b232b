import type { ContextName, RecordedEvent, Said } from '@provender/contracts';
import { formatInstant } from '@provender/kernel';
import type { Clock } from './clock.ts';
import { type Query, statement } from './database.ts';
import type { Ids } from './ids.ts';

/** A step of a consumer along one partition of one source; it commits with the effect or not at all. */
export type CursorMove = {
  readonly source: ContextName;
  readonly partition: number;
  readonly before: number;
  readonly after: number;
  readonly epoch: number;
};

/** Raised by the database when a cursor was not where its owner believed: somebody else has done this work. */
export const STALE_CURSOR_CODE = 'PV001';

const APPEND_EVENTS = statement(
  'platform-append-events',
  `SELECT append_events($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,
     string_to_array($11, E'\\x01', ''), string_to_array($12, E'\\x01')) AS base`,
);

// Data goes in as one text with a mark in between that JSON never has: quoting 500 bytes of JSON for an array and
// reading them out of it costs 14 µs of processor time, this costs 4. Traces likewise; an empty one is none.
const BETWEEN = '\u0001';

export type EventLog = {
  /** Writes events, and moves cursors, as the last statement of a transaction. Gives the events as recorded. */
  append(query: Query, said: readonly Said[], moves?: readonly CursorMove[]): Promise<readonly RecordedEvent[]>;
};

/** The log of one context: gapless positions, in commit order, written in the transaction of the change they report. */
export function eventLog(context: ContextName, clock: Clock, ids: Ids): EventLog {
  return {
    async append(query, said, moves = []) {
      if (said.length === 0 && moves.length === 0) return [];
      const time = formatInstant(clock.now());
      const eventIds = said.map(() => ids.next());
      const [row] = await query.query<{ base: number | null }>(APPEND_EVENTS, [
        moves.map((move) => move.source),
        moves.map((move) => move.partition),
        moves.map((move) => move.before),
        moves.map((move) => move.after),
        moves.map((move) => move.epoch),
        time,
        eventIds,
        said.map((event) => event.type),
        said.map((event) => event.key),
        said.map((event) => event.subject),
        said.map((event) => event.traceparent ?? '').join(BETWEEN),
        said.map((event) => JSON.stringify(event.data)).join(BETWEEN),
      ]);
      const base = row?.base ?? 0;
      return said.map((event, index) => {
        const recorded: RecordedEvent & { traceparent?: string } = {
          type: event.type,
          key: event.key,
          subject: event.subject,
          data: event.data,
          id: eventIds[index] ?? '',
          source: context,
          position: base + index + 1,
          time,
        };
        if (event.traceparent !== undefined) recorded.traceparent = event.traceparent;
        return recorded;
      });
    },
  };
}
