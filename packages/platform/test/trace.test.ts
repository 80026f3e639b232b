import type { RecordedEvent, Said } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import type { Tx } from '../src/index.ts';
import { causedBy, newTraceparent, traced, traceIdOf, traceparentOf } from '../src/trace.ts';
import { withdrawn } from './toy-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const BROUGHT = `00-${TRACE}-b7ad6b7169203331-00`;
const NEW = /^00-[\da-f]{32}-[\da-f]{16}-01$/;

describe('the trace of a request', () => {
  test('given one that it brings, then it is handed on as it is', () => {
    expect(traceparentOf(BROUGHT)).toBe(BROUGHT);
    expect(traceIdOf(BROUGHT)).toBe(TRACE);
  });

  test('given one of a later version, then what we know of it is handed on', () => {
    expect(traceparentOf(`cc-${TRACE}-b7ad6b7169203331-01-what-the-future-brings`)).toBe(BROUGHT.replace(/0$/, '1'));
    expect(traceparentOf(`cc-${TRACE}-b7ad6b7169203331-01`)).toBe(BROUGHT.replace(/0$/, '1'));
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['two in one', `${BROUGHT}, ${BROUGHT}`],
    ['a version that must not be', `ff-${TRACE}-b7ad6b7169203331-01`],
    ['capitals', BROUGHT.toUpperCase()],
    ['no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['no parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['more than its version allows', `${BROUGHT}-more`],
    ['something else', "'; DROP TABLE outbox"],
  ])('given %s, then it gets a new one', (_what, header) => {
    const [one, other] = [traceparentOf(header), traceparentOf(header)];
    expect(one).toMatch(NEW);
    expect(other).not.toBe(one);
  });

  test('given very many new ones, then no two are alike', () => {
    const all = Array.from({ length: 2_000 }, newTraceparent);
    expect(new Set(all.map(traceIdOf)).size).toBe(all.length);
    expect(all.every((one) => NEW.test(one))).toBe(true);
  });
});

/** What the events that are said in a transaction carry, by their subjects. */
function said(work: (tx: Tx) => void): (readonly [string, string | undefined])[] {
  const all: Said[] = [];
  work({ query: () => Promise.resolve([]), append: (events) => void all.push(...events) });
  return all.map(({ subject, traceparent }) => [subject, traceparent]);
}

function event(subject: string, traceparent?: string): RecordedEvent {
  const place = { id: subject, source: 'catalog', position: 1, time: '2026-11-21T08:00:00.000Z' } as const;
  return { ...withdrawn(subject), ...place, ...(traceparent === undefined ? {} : { traceparent }) };
}

describe('the trace of what follows', () => {
  test('given a transaction of one trace, then all of it carries that, but what has one already', () => {
    const own = { ...withdrawn('c'), traceparent: BROUGHT };
    expect(said((tx) => traced(tx, 'one').append([withdrawn('a'), withdrawn('b'), own]))).toEqual([
      ['a', 'one'],
      ['b', 'one'],
      ['c', BROUGHT],
    ]);
  });

  test('given a set of events of different traces, then each answer follows from the event of its subject', () => {
    const causes = [event('a', 'one'), event('b', 'two'), event('c')];
    const answers = ['c', 'b', 'a', 'nobody'].map(withdrawn);
    expect(said((tx) => causedBy(tx, causes).append(answers))).toEqual([
      ['c', undefined],
      ['b', 'two'],
      ['a', 'one'],
      ['nobody', undefined],
    ]);
  });

  test('given a set of one trace, then what is said about something else follows from it too', () => {
    const causes = [event('a', 'one'), event('b', 'one')];
    expect(said((tx) => causedBy(tx, causes).append([withdrawn('nobody')]))).toEqual([['nobody', 'one']]);
  });
});
