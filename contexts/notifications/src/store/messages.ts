import type { MessageStatus, NoticeChannel, NoticeKind, OrderLine } from '@provender/contracts';
import type { Instant, Milliseconds } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Addressed } from '../domain/audience.ts';

const SAVE_NOTICES = statement(
  'save-notices',
  `INSERT INTO notices (event_id, kind, type, source, key, subject, event_at, data, traceparent)
   SELECT event_id, kind, type, source, key, subject, event_at, data::json, traceparent
   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
     $9::text[]) AS said (event_id, kind, type, source, key, subject, event_at, data, traceparent)
   ON CONFLICT (event_id) DO NOTHING`,
);
const SAVE_MESSAGES = statement(
  'save-messages',
  `INSERT INTO messages (id, event_id, channel, address, lane, user_id, order_id, event_at, status)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
     $8::timestamptz[], $9::text[])
   ON CONFLICT (event_id, channel, address) DO NOTHING`,
);

/** Writes down what is to be sent. What one address has of an event already, it does not get again. */
export async function saveMessages(tx: Query, addressed: readonly Addressed[], nextId: () => string): Promise<void> {
  if (addressed.length === 0) return;
  const notices = [...new Set(addressed.map(({ notice }) => notice))];
  await tx.query(SAVE_NOTICES, [
    notices.map(({ eventId }) => eventId),
    notices.map(({ kind }) => kind),
    notices.map(({ type }) => type),
    notices.map(({ source }) => source),
    notices.map(({ key }) => key),
    notices.map(({ subject }) => subject),
    notices.map(({ eventAt }) => eventAt),
    notices.map(({ data }) => JSON.stringify(data)),
    notices.map(({ traceparent }) => traceparent ?? null),
  ]);
  // Ids of one millisecond are in no order by themselves, and what happened at one time is sent in theirs.
  const ids = addressed.map(nextId).sort();
  await tx.query(SAVE_MESSAGES, [
    ids,
    addressed.map(({ notice }) => notice.eventId),
    addressed.map(({ channel }) => channel),
    addressed.map(({ address }) => address),
    addressed.map(({ lane }) => lane),
    addressed.map(({ userId }) => userId ?? null),
    addressed.map(({ notice }) => notice.orderId ?? null),
    addressed.map(({ notice }) => notice.eventAt),
    addressed.map(({ isHeld }) => (isHeld ? 'held' : 'waiting')),
  ]);
}

const DUE_LANES = statement(
  'due-lanes',
  // Of disabled webhooks nothing waits: all of theirs is held.
  `SELECT lane FROM (
     SELECT unnest($1::text[]) AS lane UNION ALL SELECT id::text FROM webhooks WHERE removed_at IS NULL
   ) AS lanes
   WHERE EXISTS (
     SELECT FROM messages WHERE messages.lane = lanes.lane AND status = 'waiting' AND next_at <= now())`,
);

/** The lanes that have something to send now: these, and those of webhooks. */
export async function dueLanes(query: Query, fixed: readonly string[]): Promise<string[]> {
  return (await query.query<{ lane: string }>(DUE_LANES, [fixed])).map(({ lane }) => lane);
}

/** What one transaction claims of a lane, and what is tried where the lane was closed the last time. */
const CLAIMED_MAX = 20;
const CLAIMED_OF_CLOSED_LANE_MAX = 1;

function claim(name: string, limit: number) {
  return statement(
    name,
    // A claim is a lease: who dies with it has it tried again by somebody else, once it has run out.
    `UPDATE messages SET tries = tries + 1, next_at = now() + $2 * interval '1 millisecond'
     FROM (
       SELECT id FROM messages WHERE lane = $1 AND status = 'waiting' AND next_at <= now()
       ORDER BY next_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED
     ) AS due
     WHERE messages.id = due.id
     RETURNING messages.id, messages.tries`,
  );
}
const CLAIM = claim('claim-messages', CLAIMED_MAX);
const CLAIM_ONE = claim('claim-message', CLAIMED_OF_CLOSED_LANE_MAX);

export type Claimed = { readonly id: string; readonly tries: number };

/** Takes messages of a lane for so long. Whoever else asks meanwhile gets others. */
export function claimMessages(tx: Query, lane: string, lease: Milliseconds, wasOpen: boolean): Promise<Claimed[]> {
  return tx.query<Claimed>(wasOpen ? CLAIM : CLAIM_ONE, [lane, lease]);
}

const OUTGOING = statement(
  'outgoing',
  // Copies are looked up when it is sent: what was said late, in another log, is there by then.
  `SELECT messages.id, messages.tries, messages.tries - messages.forgiven AS "triesCounted", messages.address,
     messages.lane, messages.user_id AS "userId",
     messages.order_id AS "orderId", notices.event_id AS "eventId", notices.kind, notices.type, notices.source,
     notices.key, notices.subject, notices.event_at AS "eventAt", notices.data, notices.traceparent,
     people.name AS "recipientName",
     sites.name AS "siteName", sites.time_zone AS "timeZone", products.name AS "productName",
     bought.lines, bought.total, bought.currency, bought.placed_at AS "placedAt", webhooks.url, secrets.secret
   FROM messages JOIN notices USING (event_id)
   LEFT JOIN people ON people.id = messages.user_id
   LEFT JOIN orders AS bought ON bought.id = messages.order_id
   LEFT JOIN sites ON sites.id = coalesce(bought.site_id, (notices.data->>'siteId')::uuid)
   LEFT JOIN products ON products.id = (notices.data->>'productId')::uuid
   LEFT JOIN webhooks ON messages.channel = 'webhook' AND webhooks.id::text = messages.address
   LEFT JOIN webhook_secrets AS secrets ON secrets.webhook_id = webhooks.id
   WHERE messages.id = ANY($1::uuid[]) ORDER BY messages.event_at, messages.id`,
);

/** A claimed message with all that any channel needs to send it. */
export type Outgoing = Claimed & {
  /** Since it was first sent, or last replayed: what the next wait goes by. */
  readonly triesCounted: number;
  readonly address: string;
  readonly lane: string;
  readonly userId: string | null;
  readonly orderId: string | null;
  readonly eventId: string;
  readonly kind: NoticeKind;
  readonly type: string;
  readonly source: string;
  readonly key: string;
  readonly subject: string;
  readonly eventAt: Instant;
  readonly data: unknown;
  readonly traceparent: string | null;
  readonly recipientName: string | null;
  readonly siteName: string | null;
  readonly timeZone: string | null;
  readonly productName: string | null;
  readonly lines: readonly OrderLine[] | null;
  readonly total: number | null;
  readonly currency: string | null;
  readonly placedAt: Instant | null;
  readonly url: string | null;
  readonly secret: Buffer | null;
};

export function readOutgoing(query: Query, ids: readonly string[]): Promise<Outgoing[]> {
  return query.query<Outgoing>(OUTGOING, [ids]);
}

/** What came of trying a message. `waitMilliseconds` null: it is not to be tried again. */
export type Tried = {
  readonly id: string;
  readonly tries: number;
  readonly ok: boolean;
  readonly detail: string;
  readonly milliseconds: number;
  readonly waitMilliseconds: number | null;
};

const RECORD = statement(
  'record-tries',
  // Only by whoever still has it: a lease that ran out was given to somebody else, who records for himself.
  `WITH tried AS (
     SELECT * FROM unnest($1::uuid[], $2::integer[], $3::boolean[], $4::text[], $5::integer[], $6::bigint[])
       AS tried (id, tries, ok, detail, milliseconds, wait)
   ), recorded AS (
     UPDATE messages SET
       status = CASE WHEN ok THEN 'delivered' WHEN wait IS NULL THEN 'failed' ELSE 'waiting' END,
       next_at = now() + coalesce(wait, 0) * interval '1 millisecond'
     FROM tried WHERE messages.id = tried.id AND messages.tries = tried.tries AND messages.status = 'waiting'
     RETURNING messages.id
   ), noted AS (
     INSERT INTO attempts (message_id, number, ok, detail, milliseconds)
     SELECT tried.id, tried.tries, ok, detail, milliseconds FROM tried ON CONFLICT DO NOTHING
   )
   SELECT id FROM recorded`,
);

/** Records attempts; gives the ids of the messages that were still with whoever tried them. */
export async function recordTries(tx: Query, tried: readonly Tried[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(RECORD, [
    tried.map(({ id }) => id),
    tried.map(({ tries }) => tries),
    tried.map(({ ok }) => ok),
    tried.map(({ detail }) => detail),
    tried.map(({ milliseconds }) => Math.round(milliseconds)),
    tried.map(({ waitMilliseconds }) => waitMilliseconds),
  ]);
  return new Set(rows.map(({ id }) => id));
}

const GIVE_BACK = statement(
  'give-back-messages',
  `UPDATE messages SET tries = messages.tries - 1, next_at = now()
   FROM unnest($1::uuid[], $2::integer[]) AS untried (id, tries)
   WHERE messages.id = untried.id AND messages.tries = untried.tries AND status = 'waiting'`,
);

/** Gives claimed messages back that were not tried after all. */
export async function giveBack(tx: Query, untried: readonly Claimed[]): Promise<void> {
  if (untried.length === 0) return;
  await tx.query(GIVE_BACK, [untried.map(({ id }) => id), untried.map(({ tries }) => tries)]);
}

const MESSAGE_COLUMNS = `messages.id, messages.event_id AS "eventId", notices.kind, messages.channel,
  messages.address, messages.user_id AS "userId", messages.order_id AS "orderId", messages.status,
  messages.event_at AS "eventAt", messages.next_at AS "nextAt", messages.replays,
  coalesce((SELECT json_agg(json_build_object('at', extract(epoch FROM attempts.at) * 1000, 'ok', attempts.ok,
    'detail', attempts.detail, 'milliseconds', attempts.milliseconds) ORDER BY attempts.number)
    FROM attempts WHERE attempts.message_id = messages.id), '[]') AS attempts`;
const MESSAGES = statement(
  'messages',
  `SELECT ${MESSAGE_COLUMNS} FROM messages JOIN notices USING (event_id)
   WHERE ($2::timestamptz IS NULL OR (messages.event_at, messages.id) < ($2, $3::uuid))
     AND ($4::text IS NULL OR messages.channel = $4) AND ($5::text IS NULL OR messages.status = $5)
     AND ($6::text IS NULL OR messages.address = $6) AND ($7::uuid IS NULL OR messages.order_id = $7)
   ORDER BY messages.event_at DESC, messages.id DESC LIMIT $1`,
);

export type MessageRow = {
  readonly id: string;
  readonly eventId: string;
  readonly kind: NoticeKind;
  readonly channel: NoticeChannel;
  readonly address: string;
  readonly userId: string | null;
  readonly orderId: string | null;
  readonly status: MessageStatus;
  readonly eventAt: Instant;
  readonly nextAt: Instant;
  readonly replays: number;
  readonly attempts: readonly { at: number; ok: boolean; detail: string; milliseconds: number }[];
};

export type MessageSearch = {
  readonly limit: number;
  readonly after?: readonly [Instant, string];
  readonly channel?: NoticeChannel | undefined;
  readonly status?: MessageStatus | undefined;
  readonly address?: string | undefined;
  readonly orderId?: string | undefined;
};

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listMessages(query: Query, search: MessageSearch): Promise<MessageRow[]> {
  const { limit, after, channel, status, address, orderId } = search;
  const from = [after === undefined ? null : new Date(after[0]), after?.[1] ?? null];
  return query.query<MessageRow>(MESSAGES, [
    limit + 1,
    ...from,
    channel ?? null,
    status ?? null,
    address ?? null,
    orderId ?? null,
  ]);
}
