import { randomUUID } from 'node:crypto';
import type { ContextName, RecordedEvent } from '@provender/contracts';

/** An event on its way out of the log: its data is the JSON text as it stands there. */
export type CarriedEvent = Omit<RecordedEvent, 'data'> & { readonly data: string };

/**
 * Where a record stands in the chain of its partition: `after` is the position of the one before it there. A consumer
 * that has not come that far misses something. `begins`: nothing older could be read from the log any more.
 */
export type Link = { readonly position: number; readonly after: number; readonly begins: boolean };

/** A record as it comes from the broker, of whoever wrote it. */
export type ReceivedRecord = {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
};

// The first three are all that a consumer needs of what it does not want; `headerOf` finds each where it stands here.
const HEADER_NAMES = [
  ...['provender_position', 'provender_after', 'ce_type'],
  ...['ce_id', 'ce_source', 'ce_specversion', 'ce_subject', 'ce_time', 'ce_partitionkey', 'content-type'],
  ...['ce_traceparent', 'provender_begins'],
] as const;
type HeaderName = (typeof HEADER_NAMES)[number];

const NAMES = new Map<HeaderName, Buffer>(HEADER_NAMES.map((name) => [name, Buffer.from(name)]));
const PLACES = new Map<HeaderName, number>(HEADER_NAMES.map((name, place) => [name, place]));
const SPEC_VERSION = Buffer.from('1.0');
const JSON_TYPE = Buffer.from('application/json');
const YES = Buffer.from('1');

/** The headers of an event in the Kafka binding of CloudEvents, with its link in the chain. */
export function headersOf(event: CarriedEvent, link: Link): Map<Buffer, Buffer> {
  const headers = new Map<Buffer, Buffer>();
  const set = (name: HeaderName, value: Buffer) => headers.set(NAMES.get(name) ?? Buffer.from(name), value);
  set('provender_position', Buffer.from(String(link.position)));
  set('provender_after', Buffer.from(String(link.after)));
  set('ce_type', Buffer.from(event.type));
  set('ce_id', Buffer.from(event.id));
  set('ce_source', Buffer.from(event.source));
  set('ce_specversion', SPEC_VERSION);
  set('ce_subject', Buffer.from(event.subject));
  set('ce_time', Buffer.from(event.time));
  set('ce_partitionkey', Buffer.from(event.key));
  set('content-type', JSON_TYPE);
  if (event.traceparent !== undefined) set('ce_traceparent', Buffer.from(event.traceparent));
  if (link.begins) set('provender_begins', YES);
  return headers;
}

/** Where a record stands in its chain; undefined where no relay of ours has written it. */
export function linkOf({ headers }: ReceivedRecord): Link | undefined {
  const position = positionIn(headers, 'provender_position');
  const after = positionIn(headers, 'provender_after');
  if (position === undefined || position === 0 || after === undefined || after >= position) return undefined;
  return { position, after, begins: headerOf(headers, 'provender_begins') !== undefined };
}

export function typeOf({ headers }: ReceivedRecord): string {
  return textIn(headers, 'ce_type') ?? '';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The event in a record. One that cannot be read comes as an event of a type that nobody knows, which says why and has
 * the raw text as its data: so it parks its subject as any poisoned event does, and holds nothing else up.
 */
export function eventOf(source: ContextName, position: number, record: ReceivedRecord): RecordedEvent {
  const { headers } = record;
  const type = typeOf(record);
  const key = textIn(headers, 'ce_partitionkey') ?? shownText(record.key);
  const subject = textIn(headers, 'ce_subject');
  const id = textIn(headers, 'ce_id');
  const time = textIn(headers, 'ce_time');
  const traceparent = textIn(headers, 'ce_traceparent');
  const envelope = { key, source, position, ...(traceparent === undefined ? {} : { traceparent }) };
  const read = parsed(record.value);
  if (type !== '' && subject !== undefined && id !== undefined && UUID.test(id) && time !== undefined && 'data' in read)
    return { ...envelope, type, subject, data: read.data, id, time };
  const reason = 'data' in read ? 'its envelope is not complete' : read.error;
  return {
    ...envelope,
    type: `${type || 'an event without a type'}, which cannot be read: ${reason}`,
    subject: subject ?? key,
    data: shownText(record.value),
    id: id !== undefined && UUID.test(id) ? id : randomUUID(),
    time: time ?? '',
  };
}

/** The data of a JSON document, or why there is none. */
function parsed(value: Uint8Array | null): { readonly data: unknown } | { readonly error: string } {
  if (value === null) return { error: 'it has no body' };
  try {
    return { data: JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) };
  } catch (error) {
    return { error: String(error) };
  }
}

const RAW_LENGTH_MAX = 10_000;

/** Whatever the bytes are, as a text that a database takes: without NUL, and cut short. */
function shownText(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? [])
    .toString()
    .replaceAll('\0', '')
    .slice(0, RAW_LENGTH_MAX);
}

function headerOf(headers: ReceivedRecord['headers'], name: HeaderName): Buffer | undefined {
  const wanted = NAMES.get(name);
  if (wanted === undefined) return undefined;
  const expected = headers[PLACES.get(name) ?? 0];
  if (expected?.[0]?.equals(wanted)) return expected[1] ?? undefined;
  return headers.find(([found]) => found?.equals(wanted))?.[1] ?? undefined;
}

function textIn(headers: ReceivedRecord['headers'], name: HeaderName): string | undefined {
  const value = headerOf(headers, name)?.toString();
  return value?.includes('\0') ? undefined : value;
}

function positionIn(headers: ReceivedRecord['headers'], name: HeaderName): number | undefined {
  const text = textIn(headers, name);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const position = Number(text);
  return Number.isSafeInteger(position) ? position : undefined;
}
