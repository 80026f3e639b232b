import type { PageQuery } from '@provender/contracts';
import { accept, type Instant, isUuid, type Refusal, type Result, refuse } from '@provender/kernel';
import { problem, type Refused } from './problem.ts';

export const PAGE_LIMIT_DEFAULT = 50;

/** What the columns of a list's order hold. */
type CursorKinds = {
  readonly instant: Instant;
  readonly integer: number;
  readonly uuid: string;
  readonly text: string;
};
export type CursorShape = readonly (keyof CursorKinds)[];

/** Where a page ended: the values of the list's sort columns in its last row. */
export type CursorValues<Shape extends CursorShape> = {
  readonly [Index in keyof Shape]: CursorKinds[Shape[Index] & keyof CursorKinds];
};

export type Paged<Shape extends CursorShape> = { readonly limit: number; readonly after?: CursorValues<Shape> };

/** One page as the API renders it; `nextCursor` is absent on the last page. */
export type PageOf<Item> = { readonly items: Item[]; readonly nextCursor?: string };

/**
 * Reads `limit` and `cursor` of a list's query; `shape` names what the list is ordered by. Refuses (`invalid-request`)
 * a cursor that is not one of this list, so that its values are safe to hand to the database.
 * Example: `paged(query, ['instant', 'uuid'])` for a list ordered by moment and id.
 */
export function paged<const Shape extends CursorShape>(
  query: PageQuery,
  shape: Shape,
): Result<Paged<Shape>, Refused<'invalid-request'> & Refusal> {
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  if (query.cursor === undefined) return accept({ limit });
  const after = readCursor(query.cursor, shape);
  if (after !== undefined) return accept({ limit, after });
  const errors = [{ pointer: '/cursor', detail: 'is not a cursor of this list' }];
  return refuse(problem('invalid-request', { detail: 'The cursor is not one of this list.', errors }));
}

/**
 * Makes a page out of up to `limit + 1` rows: read one row more than asked for, so that the last page is known as such.
 * `position` gives the values of a row that the list is ordered by, in the order of its shape.
 */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  render: (row: Row) => Item,
  position: (row: Row) => readonly (string | number)[],
): PageOf<Item> {
  const shown = rows.length > limit ? rows.slice(0, limit) : rows;
  const items = shown.map((row) => render(row));
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: writeCursor(position(last)) };
}

export function writeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

function readCursor<Shape extends CursorShape>(text: string, shape: Shape): CursorValues<Shape> | undefined {
  const values = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
  if (!Array.isArray(values) || values.length !== shape.length) return undefined;
  const fits = shape.every((kind, index) => fitsKind(kind, values[index]));
  // Every value was just found to be of the kind that the shape says.
  return fits ? (values as unknown as CursorValues<Shape>) : undefined;
}

/** 0001-01-01 and 9999-12-31: what RFC 3339 can write and the database can read. */
const INSTANT_MIN = -62_135_596_800_000;
const INSTANT_MAX = 253_402_300_799_999;

function fitsKind(kind: keyof CursorKinds, value: unknown): boolean {
  switch (kind) {
    case 'uuid':
      return typeof value === 'string' && isUuid(value);
    case 'text':
      return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000');
    case 'integer':
      return Number.isSafeInteger(value);
    case 'instant':
      return Number.isSafeInteger(value) && Number(value) >= INSTANT_MIN && Number(value) <= INSTANT_MAX;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
