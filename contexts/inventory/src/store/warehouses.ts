import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement, type Validators } from '@provender/platform';
import type { WarehouseListing } from '../domain/warehouse-answer.ts';

// The mirror of the outside source. Its tables are only written by the guarded functions of the second migration.

const ASK = statement(
  'ask-warehouses',
  `UPDATE warehouse_source SET asked = asked + 1, address_hash = $1,
     etag = CASE WHEN address_hash = $1 THEN etag END,
     last_modified = CASE WHEN address_hash = $1 THEN last_modified END
   RETURNING asked AS number, etag, last_modified AS "lastModified"`,
);

export type Question = { readonly number: number; readonly validators: Validators };

/** Numbers the next question to the source of this address, and gives what to ask it with. */
export async function numberQuestion(db: Query, addressHash: string): Promise<Question> {
  const [row] = await db.query<{ number: number; etag: string | null; lastModified: string | null }>(ASK, [
    addressHash,
  ]);
  if (row === undefined) throw new Error('The row of the warehouse source is missing');
  const { number, etag, lastModified } = row;
  const validators = { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
  return { number, validators };
}

const SOURCE_COLUMNS = `address_hash AS "addressHash", answered, synced_at AS "syncedAt", stale_since AS "staleSince",
  failures`;
const READ_SOURCE = statement('read-warehouse-source', `SELECT ${SOURCE_COLUMNS} FROM warehouse_source`);
const LOCK_SOURCE = statement('lock-warehouse-source', `SELECT ${SOURCE_COLUMNS} FROM warehouse_source FOR UPDATE`);

/** How it is with the mirror. */
export type SourceState = {
  readonly addressHash: string | null;
  /** The number of the last question whose answer was taken. */
  readonly answered: number;
  readonly syncedAt: Instant | null;
  readonly staleSince: Instant | null;
  readonly failures: number;
};

export async function readSource(db: Query): Promise<SourceState> {
  return firstOf(await db.query<SourceState>(READ_SOURCE));
}

/** Nobody else changes mirror or allocations until this transaction ends. */
export async function lockSource(db: Query): Promise<SourceState> {
  return firstOf(await db.query<SourceState>(LOCK_SOURCE));
}

function firstOf(rows: readonly SourceState[]): SourceState {
  const [state] = rows;
  if (state === undefined) throw new Error('The row of the warehouse source is missing');
  return state;
}

const NOTE_SYNCED = statement(
  'note-warehouses-synced',
  `UPDATE warehouse_source SET answered = $1, synced_at = $2, stale_since = NULL, failures = 0, fault = NULL,
     etag = CASE WHEN $3 THEN $4 ELSE etag END, last_modified = CASE WHEN $3 THEN $5 ELSE last_modified END`,
);

/** The mirror is as the source is now. Without validators it has not changed, and they hold on. */
export async function noteSynced(db: Query, number: number, at: Instant, validators?: Validators): Promise<void> {
  const { etag = null, lastModified = null } = validators ?? {};
  await db.query(NOTE_SYNCED, [number, formatInstant(at), validators !== undefined, etag, lastModified]);
}

const NOTE_FAILED = statement(
  'note-warehouses-failed',
  `UPDATE warehouse_source SET answered = $1, stale_since = coalesce(stale_since, $2), failures = failures + 1,
     fault = $3`,
);

export async function noteFailed(db: Query, number: number, at: Instant, fault: string): Promise<void> {
  await db.query(NOTE_FAILED, [number, formatInstant(at), fault]);
}

const MIRROR = statement(
  'mirror-warehouses',
  'SELECT changed, missing FROM mirror_warehouses($1, $2, $3, $4, $5, $6, $7)',
);

export type Mirrored = { readonly changed: number; readonly missing: number };

/** Makes the mirror what the source says; every quantity that changes is a movement. */
export async function mirror(db: Query, { warehouses, items }: WarehouseListing, at: Instant): Promise<Mirrored> {
  const [row] = await db.query<Mirrored>(MIRROR, [
    warehouses.map(({ id }) => id),
    warehouses.map(({ name }) => name),
    items.map(({ warehouseId }) => warehouseId),
    items.map(({ sku }) => sku),
    items.map(({ name }) => name),
    items.map(({ quantity }) => quantity),
    formatInstant(at),
  ]);
  return row ?? { changed: 0, missing: 0 };
}
