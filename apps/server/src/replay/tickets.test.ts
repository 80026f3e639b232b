import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GAP_DAYS_MAX, placeInTime, readTickets, type Ticket, TICKET_LINES_MAX, withNext } from './tickets.ts';
import { readLayout, TILL_COLUMNS, type TillLayout } from './till.ts';

async function* fileOf(texts: readonly string[]) {
  for (const [index, text] of texts.entries()) yield { number: index + 2, text, isCut: false };
}

function layout(): TillLayout {
  const read = readLayout({ number: 1, text: 'Date,Time,Transaction,Item', isCut: false }, TILL_COLUMNS);
  if (!read.ok) throw new Error('The header of the test is wrong');
  return read.value;
}

const ticketsOf = (texts: readonly string[]): Promise<Ticket[]> =>
  Array.fromAsync(readTickets(fileOf(texts), layout()));

describe('tickets of a till', () => {
  test('given lines of two transactions with dirt between them, when they are gathered, then each ticket has its pieces', async () => {
    const tickets = await ticketsOf([
      '2016-10-30,10:00,1,Bread',
      'torn',
      '2016-10-30,10:00,1,Bread',
      '2016-10-30,10:00,1,NONE',
      '2016-10-30,10:05,4,Tea',
    ]);
    expect(tickets.map(({ pieces }) => pieces.map(({ item }) => item))).toEqual([['Bread', 'Bread'], ['Tea']]);
    expect(tickets.map(({ upToLine }) => upToLine)).toEqual([5, 6]);
  });

  test('given the same number on another day, when they are gathered, then it is another ticket', async () => {
    expect(await ticketsOf(['2016-10-30,10:00,1,Bread', '2016-10-31,10:00,1,Bread'])).toHaveLength(2);
  });

  test('given a transaction that never ends, when it is gathered, then it is cut, so that memory stays bounded', async () => {
    const tickets = await ticketsOf(Array(2 * TICKET_LINES_MAX + 1).fill('2016-10-30,10:00,1,Bread'));
    expect(tickets.map(({ pieces }) => pieces.length)).toEqual([TICKET_LINES_MAX, TICKET_LINES_MAX, 1]);
  });

  test('given any lines, when they are gathered, then every line comes out once and in order', async () => {
    const row = fc
      .tuple(fc.constantFrom('1', '2', ''), fc.constantFrom('Bread', 'NONE', 'a,b', '"'))
      .map(([transaction, item]) => `2016-10-30,10:00,${transaction},${item}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(row, fc.string()), { maxLength: 60 }), async (texts) => {
        const tickets = await ticketsOf(texts);
        const numbers = tickets.flatMap(({ pieces, listed }) => [...pieces, ...listed].map(({ line }) => line));
        expect(numbers.toSorted((left, right) => left - right)).toEqual(texts.map((_, index) => index + 2));
        expect(tickets.at(-1)?.upToLine ?? 1).toBe(texts.length + 1);
      }),
    );
  });

  test('given some things, when each is asked for its next, then all come once', async () => {
    async function* three() {
      yield* [1, 2, 3];
    }
    const pairs = await Array.fromAsync(withNext(three()));
    expect(pairs.map(({ value, next }) => [value, next])).toEqual([
      [1, 2],
      [2, 3],
      [3, undefined],
    ]);
  });
});

describe('the place of a ticket in time', () => {
  const at = (date: string, second: number) => ({ date, second });
  const [ten, eleven, noon] = [at('2016-10-30', 36_000), at('2016-10-30', 39_600), at('2016-10-30', 43_200)];

  test('given tickets in order, when they are placed, then each has its own time', () => {
    expect(placeInTime(eleven, ten, noon)).toEqual({ kind: 'at', stamp: eleven, isMoved: false });
    expect(placeInTime(ten, undefined, undefined)).toMatchObject({ kind: 'at', isMoved: false });
  });

  test('given a time that is before or after both neighbours, when it is placed, then it is where it stands in the file', () => {
    expect(placeInTime(ten, eleven, noon)).toEqual({ kind: 'at', stamp: eleven, isMoved: true });
    expect(placeInTime(noon, ten, eleven)).toEqual({ kind: 'at', stamp: ten, isMoved: true });
  });

  test('given another day than the neighbours have, when it is placed, then it is listed', () => {
    expect(placeInTime(at('2061-10-30', 0), ten, noon)).toMatchObject({ kind: 'out-of-order' });
    expect(placeInTime(at('2016-10-29', 0), ten, noon)).toMatchObject({ kind: 'out-of-order' });
    expect(placeInTime(at('2061-10-30', 0), undefined, ten)).toMatchObject({ kind: 'out-of-order' });
  });

  test('given a last ticket years later, when it is placed, then it is listed; after a long holiday it is not', () => {
    expect(placeInTime(at('2061-10-30', 0), ten, undefined)).toMatchObject({ kind: 'out-of-order' });
    expect(placeInTime(at('2017-10-30', 0), ten, undefined)).toMatchObject({ kind: 'at' });
    expect(GAP_DAYS_MAX).toBeGreaterThan(365);
  });
});
