import { PRODUCT_NAME_LENGTH_MAX } from '@provender/contracts';
import { accept, type LocalDate, type Result, refuse } from '@provender/kernel';
import { parse } from 'csv-parse/sync';
import type { FileLine } from './lines.ts';

/** What the replay needs of a till, and the name of the column in which each stands. */
export const TILL_FIELDS = ['Date', 'Time', 'Transaction', 'Item'] as const;
export type TillField = (typeof TILL_FIELDS)[number];
export type ColumnNames = Readonly<Record<TillField, string>>;

export const TILL_COLUMNS: ColumnNames = { Date: 'Date', Time: 'Time', Transaction: 'Transaction', Item: 'Item' };

/** How a file's lines are to be read, from its header. */
export type TillLayout = {
  readonly delimiter: string;
  readonly columns: number;
  readonly places: Readonly<Record<TillField, number>>;
  readonly header: string;
  /** Columns that mean nothing to the replay. */
  readonly unused: readonly string[];
};

export type NoLayout =
  | { readonly kind: 'no-header' }
  | { readonly kind: 'column-missing'; readonly column: string; readonly found: readonly string[] };

/** One line of the till: one piece of one item, sold. `second` is counted on the wall, from midnight. */
export type Piece = {
  readonly kind: 'piece';
  readonly line: number;
  readonly content: string;
  readonly date: LocalDate;
  readonly second: number;
  readonly transaction: string;
  readonly item: string;
};

/** A line that is no sale, and why. One that is part of a ticket says of which. */
export type Listed = {
  readonly kind: 'listed';
  readonly line: number;
  readonly content: string;
  readonly reason: string;
  readonly date?: LocalDate;
  readonly transaction?: string;
};

const DELIMITERS = [',', ';', '\t', '|'];
const CONTENT_LENGTH_MAX = 500;
const TRANSACTION_LENGTH_MAX = 100;

/** What tills write where nothing was sold. */
const NOT_ITEMS: ReadonlyMap<string, string> = new Map([
  ['none', 'voided line'],
  ['void', 'voided line'],
  ['voided', 'voided line'],
  ['adjustment', 'adjustment, no product'],
  ['', 'no item'],
]);

/**
 * Reads the header. Names are compared without regard to case and spaces around them. Refuses one that lacks a column.
 */
export function readLayout(header: FileLine, names: ColumnNames): Result<TillLayout, NoLayout> {
  const delimiter = DELIMITERS.reduce((best, each) =>
    header.text.split(each).length > header.text.split(best).length ? each : best,
  );
  const found = fieldsOf(header.text, delimiter)?.map((name) => name.trim());
  if (found === undefined || header.isCut || header.text.trim() === '') return refuse({ kind: 'no-header' });
  const lower = found.map((name) => name.toLowerCase());
  const places: Partial<Record<TillField, number>> = {};
  for (const field of TILL_FIELDS) {
    const place = lower.indexOf(names[field].trim().toLowerCase());
    if (place < 0) return refuse({ kind: 'column-missing', column: names[field], found });
    places[field] = place;
  }
  const used = new Set(Object.values(places));
  return accept({
    delimiter,
    columns: found.length,
    places: places as Record<TillField, number>,
    header: header.text,
    unused: found.filter((_, place) => !used.has(place)),
  });
}

/**
 * Reads one line: a piece that was sold, or why it is none. Total: whatever the line holds, it gives one of the two.
 */
export function readPiece(line: FileLine, layout: TillLayout): Piece | Listed {
  const content = shown(line.text);
  const listed = (reason: string): Listed => ({ kind: 'listed', line: line.number, content, reason });
  if (line.isCut) return listed('torn line: too long');
  if (line.text.trim() === '') return listed('empty line');
  if (line.text === layout.header) return listed('the header again');
  const fields = fieldsOf(line.text, layout.delimiter);
  if (fields === undefined) return listed('torn line: a quote without its other half');
  if (fields.length !== layout.columns) {
    return listed(`torn line: ${fields.length} of ${layout.columns} fields`);
  }
  const field = (name: TillField) => (fields[layout.places[name]] ?? '').trim();
  const [dateText, timeText] = momentTexts(field('Date'), field('Time'));
  const date = readDate(dateText);
  if (date === undefined) return listed('no date');
  const second = readTime(timeText);
  if (second === undefined) return listed('no time of day');
  const transaction = field('Transaction');
  if (transaction === '' || transaction.length > TRANSACTION_LENGTH_MAX) return listed('no transaction number');
  const item = field('Item').replaceAll(/\s+/g, ' ');
  const fault = NOT_ITEMS.get(item.toLowerCase()) ?? nameFault(item);
  if (fault !== undefined) return { ...listed(fault), date, transaction };
  return { kind: 'piece', line: line.number, content, date, second, transaction, item };
}

/** The fields of one line; undefined where its quotes do not fit together. A record is one line: see the how-to. */
export function fieldsOf(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter);
  try {
    const [fields] = parse(text, { delimiter, relax_column_count: true });
    return fields;
  } catch {
    return undefined;
  }
}

/** Date and time may stand in one column, with a space or a T between them. */
function momentTexts(date: string, time: string): readonly [string, string] {
  const both = /^(\S{8,10})[ T](\S+)$/.exec(date);
  if (both === null) return [date, time];
  return [both[1] ?? '', date === time ? (both[2] ?? '') : time];
}

/** Reads `2016-10-30`, `2016/10/30` and `30.10.2016`. Undefined where there is no such day. */
export function readDate(text: string): LocalDate | undefined {
  const match = /^(\d{4})[-/](\d\d)[-/](\d\d)$/.exec(text);
  const german = /^(\d\d)\.(\d\d)\.(\d{4})$/.exec(text);
  const [year, month, day] =
    match !== null ? match.slice(1) : german !== null ? german.slice(1).toReversed() : [undefined];
  if (year === undefined || Number(year) < 1971) return undefined;
  const date = `${year}-${month}-${day}`;
  const moment = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, date.length) !== date) return undefined;
  return date;
}

/** Reads `09:58`, `9:58` and `09:58:11` as seconds from midnight; parts of a second are dropped. */
export function readTime(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?$/.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  if (hours === undefined || minutes === undefined || seconds === undefined) return undefined;
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3_600 + minutes * 60 + seconds : undefined;
}

function nameFault(item: string): string | undefined {
  // biome-ignore lint: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(item)) return 'torn line: control characters in the item';
  return item.length > PRODUCT_NAME_LENGTH_MAX ? 'torn line: too long for the name of an item' : undefined;
}

/** The line as it is kept for the list: cut, and without what no database and no terminal can hold. */
function shown(text: string): string {
  const plain = text.slice(0, CONTENT_LENGTH_MAX).replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f]/g, '\ufffd');
  return plain.toWellFormed();
}

/** What tells one item from another: tills are not careful about capitals. */
export function itemKey(item: string): string {
  return item.toLowerCase();
}
