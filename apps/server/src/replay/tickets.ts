import type { LocalDate } from '@provender/kernel';
import type { FileLine } from './lines.ts';
import { type Listed, type Piece, readPiece, type TillLayout } from './till.ts';

/** What one customer bought at once: lines that follow each other with one date and one transaction number. */
export type Ticket = {
  readonly date: LocalDate | undefined;
  readonly second: number;
  readonly pieces: readonly Piece[];
  readonly listed: readonly Listed[];
  /** False for lines that belong to no ticket at all. */
  readonly isTicket: boolean;
  /** Every line up to this one is in this ticket or in one before it. */
  readonly upToLine: number;
};

/** A longer one is cut in two, so that memory stays bounded whatever the file says. */
export const TICKET_LINES_MAX = 1_000;

type Open = { key: string | undefined; pieces: Piece[]; listed: Listed[]; upToLine: number };

/** Gathers the lines of a till into tickets, in the order of the file. Every line comes out once. */
export async function* readTickets(lines: AsyncIterable<FileLine>, layout: TillLayout): AsyncGenerator<Ticket> {
  let open: Open | undefined;
  for await (const line of lines) {
    const read = readPiece(line, layout);
    const key = read.transaction === undefined ? undefined : `${read.date} ${read.transaction}`;
    const isNext = open !== undefined && key !== undefined && open.key !== undefined && open.key !== key;
    const isFull = open !== undefined && open.pieces.length + open.listed.length >= TICKET_LINES_MAX;
    if (open !== undefined && (isNext || isFull)) {
      yield closed(open);
      open = undefined;
    }
    open ??= { key: undefined, pieces: [], listed: [], upToLine: 0 };
    open.key ??= key;
    if (read.kind === 'piece') open.pieces.push(read);
    else open.listed.push(read);
    open.upToLine = line.number;
  }
  if (open !== undefined) yield closed(open);
}

function closed({ key, pieces, listed, upToLine }: Open): Ticket {
  const [first] = pieces;
  return { date: first?.date, second: first?.second ?? 0, pieces, listed, isTicket: key !== undefined, upToLine };
}

/** Gives each thing together with the one that comes after it. */
export async function* withNext<Value>(
  values: AsyncIterable<Value>,
): AsyncGenerator<{ readonly value: Value; readonly next: Value | undefined }> {
  let waiting: { readonly value: Value } | undefined;
  for await (const value of values) {
    if (waiting !== undefined) yield { value: waiting.value, next: value };
    waiting = { value };
  }
  if (waiting !== undefined) yield { value: waiting.value, next: undefined };
}

/** What the clock on the wall showed when a ticket was rung up. */
export type Stamp = { readonly date: LocalDate; readonly second: number };

export type PlaceInTime =
  | { readonly kind: 'at'; readonly stamp: Stamp; readonly isMoved: boolean }
  | { readonly kind: 'out-of-order'; readonly reason: string };

/** A till that was silent for longer has been misread. */
export const GAP_DAYS_MAX = 400;

const DAY_MILLISECONDS = 86_400_000;

/**
 * Decides when a ticket is played, for business time never goes back. One whose time contradicts its neighbours is
 * played at its place in the file, at the time of the ticket before; where its day is another one too, it is listed.
 */
export function placeInTime(stamp: Stamp, before: Stamp | undefined, after: Stamp | undefined): PlaceInTime {
  const isLate = before !== undefined && isBefore(stamp, before);
  const isAhead = after !== undefined && isBefore(after, stamp) && (before === undefined || !isBefore(after, before));
  if (!isLate && !isAhead) {
    if (before === undefined || daysBetween(before.date, stamp.date) <= GAP_DAYS_MAX) {
      return { kind: 'at', stamp, isMoved: false };
    }
    return { kind: 'out-of-order', reason: `more than ${GAP_DAYS_MAX} days after the ticket before` };
  }
  const neighbour = before ?? after;
  if (neighbour?.date === stamp.date) return { kind: 'at', stamp: neighbour, isMoved: true };
  return {
    kind: 'out-of-order',
    reason: `its day is ${isLate ? 'before' : 'after'} that of its neighbours in the file`,
  };
}

function isBefore(left: Stamp, right: Stamp): boolean {
  return left.date === right.date ? left.second < right.second : left.date < right.date;
}

function daysBetween(from: LocalDate, to: LocalDate): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MILLISECONDS;
}
