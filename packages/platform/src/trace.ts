import { randomBytes } from 'node:crypto';
import type { RecordedEvent, Said } from '@provender/contracts';
import type { Tx } from './database.ts';

// W3C Trace Context: one id goes from the request through every event that follows from it. It is handed on by hand,
// with the transaction: an async context of the runtime costs every promise of the hot path something, this a few
// look-ups for an event.

/** Version, trace id, parent id, flags. Later versions may carry more behind a dash. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;
const TRACEPARENT_LENGTH = 55;
const VERSION = '00';
const TRACE_ID_END = 35;
const NEW_AT_ONCE = 256;
const TRACE_BYTES = 24;

let random = '';
let used = 0;

/** The trace of something that nobody asked for: a request without one, a timer. */
export function newTraceparent(): string {
  if (used === random.length) {
    random = randomBytes(NEW_AT_ONCE * TRACE_BYTES).toString('hex');
    used = 0;
  }
  const traceId = random.slice(used, used + 32);
  const parentId = random.slice(used + 32, used + 48);
  used += 2 * TRACE_BYTES;
  return `${VERSION}-${traceId}-${parentId}-01`;
}

/** The trace that a request brings, handed on as it is, since we record no spans of our own; a new one without. */
export function traceparentOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string' || !TRACEPARENT.test(header)) return newTraceparent();
  if (header.length === TRACEPARENT_LENGTH) return header.startsWith(VERSION) ? header : asOurs(header);
  return header.startsWith(VERSION) ? newTraceparent() : asOurs(header);
}

function asOurs(header: string): string {
  return VERSION + header.slice(VERSION.length, TRACEPARENT_LENGTH);
}

/** The part that stays the same over all of a trace, for logs. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.slice(VERSION.length + 1, TRACE_ID_END);
}

/** A transaction whose events all follow from one thing. An event that says its own trace keeps it. */
export function traced(tx: Tx, traceparent: string): Tx {
  return {
    query: tx.query,
    append: (events) => tx.append(events.map((event) => withTrace(event, traceparent))),
  };
}

/**
 * A transaction that reacts to a set of events, each with a trace of its own: what is said about a subject follows from
 * the event about that subject. What is said about another one follows from the set as a whole, where that is one
 * trace.
 */
export function causedBy(tx: Tx, causes: readonly RecordedEvent[]): Tx {
  let bySubject: Map<string, string | undefined> | undefined;
  let shared: string | undefined;

  function learn(): Map<string, string | undefined> {
    const traces = new Map<string, string | undefined>();
    shared = causes[0]?.traceparent;
    for (const { subject, traceparent } of causes) {
      traces.set(subject, traceparent);
      if (traceparent !== shared) shared = undefined;
    }
    return traces;
  }

  return {
    query: tx.query,
    append(events) {
      const traces = (bySubject ??= learn());
      tx.append(events.map((event) => withTrace(event, traces.get(event.subject) ?? shared)));
    },
  };
}

function withTrace(event: Said, traceparent: string | undefined): Said {
  if (traceparent === undefined || event.traceparent !== undefined) return event;
  const { type, key, subject, data } = event;
  // Member by member: to spread the event costs half a microsecond more. Type and data stay those of one event.
  return { type, key, subject, data, traceparent } as Said;
}
