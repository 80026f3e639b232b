import type { NoticeKind } from '@provender/contracts';
import { formatInstant, type Instant, type Milliseconds } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Receiver } from '../domain/audience.ts';

export type Webhook = {
  readonly id: string;
  readonly ownerId: string;
  readonly url: string;
  readonly kinds: readonly NoticeKind[];
  readonly description: string | null;
  readonly createdAt: Instant;
  readonly disabledReason: string | null;
  readonly failingSince: Instant | null;
};

const COLUMNS = `id, owner_id AS "ownerId", url, kinds, description, created_at AS "createdAt",
  disabled_reason AS "disabledReason", failing_since AS "failingSince"`;
const RECEIVERS = statement(
  'receivers',
  `SELECT id, owner_id AS "ownerId", kinds, disabled_reason IS NOT NULL AS "isDisabled" FROM webhooks
   WHERE removed_at IS NULL ORDER BY id FOR SHARE`,
);
const WEBHOOKS = statement(
  'webhooks',
  `SELECT ${COLUMNS} FROM webhooks
   WHERE removed_at IS NULL AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $1`,
);
const WEBHOOK = statement('webhook', `SELECT ${COLUMNS} FROM webhooks WHERE id = $1 AND removed_at IS NULL`);
const LOCK_WEBHOOK = statement(
  'lock-webhook',
  `SELECT ${COLUMNS} FROM webhooks WHERE id = $1 AND removed_at IS NULL FOR UPDATE`,
);
const LOCK_ADDING = statement(
  'lock-adding-webhooks',
  "SELECT pg_advisory_xact_lock(hashtext('provender webhooks'), 0)",
);
const COUNT = statement('count-webhooks', 'SELECT count(*)::integer AS count FROM webhooks WHERE removed_at IS NULL');
const INSERT = statement(
  'insert-webhook',
  'INSERT INTO webhooks (id, owner_id, url, kinds, description, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
);
const INSERT_SECRET = statement(
  'insert-webhook-secret',
  'INSERT INTO webhook_secrets (webhook_id, secret) VALUES ($1, $2)',
);

/** All webhooks there are, for what is to be told; a change of one waits until the transaction ends. */
export function readReceivers(tx: Query): Promise<Receiver[]> {
  return tx.query<Receiver>(RECEIVERS);
}

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listWebhooks(query: Query, limit: number, after: string | undefined): Promise<Webhook[]> {
  return query.query<Webhook>(WEBHOOKS, [limit + 1, after ?? null]);
}

export async function readWebhook(query: Query, id: string): Promise<Webhook | undefined> {
  return (await query.query<Webhook>(WEBHOOK, [id]))[0];
}

export async function lockWebhook(tx: Query, id: string): Promise<Webhook | undefined> {
  return (await tx.query<Webhook>(LOCK_WEBHOOK, [id]))[0];
}

/** How many there are; nobody else adds one until the transaction ends. */
export async function countWebhooks(tx: Query): Promise<number> {
  await tx.query(LOCK_ADDING);
  return (await tx.query<{ count: number }>(COUNT))[0]?.count ?? 0;
}

export async function insertWebhook(tx: Query, webhook: Webhook, secret: Buffer): Promise<void> {
  const { id, ownerId, url, kinds, description, createdAt } = webhook;
  await tx.query(INSERT, [id, ownerId, url, kinds, description, formatInstant(createdAt)]);
  await tx.query(INSERT_SECRET, [id, secret]);
}

const REVISE = statement('revise-webhook', 'UPDATE webhooks SET kinds = $2, description = $3 WHERE id = $1');
const ENABLE = statement(
  'enable-webhook',
  'UPDATE webhooks SET disabled_reason = NULL, failing_since = NULL WHERE id = $1',
);
const RELEASE_HELD = statement(
  'release-held',
  "UPDATE messages SET status = 'waiting', forgiven = tries, next_at = now() WHERE lane = $1 AND status = 'held'",
);
const DISABLE = statement('disable-webhook', 'UPDATE webhooks SET disabled_reason = $2 WHERE id = $1');
const HOLD = statement('hold-messages', "UPDATE messages SET status = 'held' WHERE lane = $1 AND status = 'waiting'");
const REMOVE = statement('remove-webhook', 'UPDATE webhooks SET removed_at = $2 WHERE id = $1');
const END_MESSAGES = statement(
  'end-messages',
  "UPDATE messages SET status = 'failed' WHERE lane = $1 AND status IN ('waiting', 'held')",
);

export async function reviseWebhook(
  tx: Query,
  id: string,
  { kinds, description }: Pick<Webhook, 'kinds' | 'description'>,
): Promise<void> {
  await tx.query(REVISE, [id, kinds, description]);
}

/** What was held for it goes out now, as if it had just been said: with all its tries. */
export async function enableWebhook(tx: Query, id: string): Promise<void> {
  await tx.query(ENABLE, [id]);
  await tx.query(RELEASE_HELD, [id]);
}

/** What waits for it is held from now on. */
export async function disableWebhook(tx: Query, id: string, reason: string): Promise<void> {
  await tx.query(DISABLE, [id, reason]);
  await tx.query(HOLD, [id]);
}

/** What was on its way to it is given up. */
export async function removeWebhook(tx: Query, id: string, at: Instant): Promise<void> {
  await tx.query(REMOVE, [id, formatInstant(at)]);
  await tx.query(END_MESSAGES, [id]);
}

const SUCCEED = statement(
  'webhook-succeeds',
  'UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL',
);
const FAIL = statement(
  'webhook-fails',
  `UPDATE webhooks SET failing_since = coalesce(failing_since, now()) WHERE id = $1 AND removed_at IS NULL
   RETURNING disabled_reason IS NULL AND failing_since < now() - $2 * interval '1 millisecond' AS "isLasting"`,
);

/** It has taken a message: what failed before is forgotten. */
export async function webhookSucceeds(tx: Query, id: string): Promise<void> {
  await tx.query(SUCCEED, [id]);
}

/** Notes a failure; gives whether it has failed for so long that it is to be disabled. */
export async function webhookFails(tx: Query, id: string, lasting: Milliseconds): Promise<boolean> {
  const [row] = await tx.query<{ isLasting: boolean }>(FAIL, [id, lasting]);
  return row?.isLasting === true;
}

/** What one request replays; the rest takes another one. */
export const REPLAYED_MAX = 10_000;
// Another message to the outside, with the id that it had: its tries count anew, its attempts go on.
const AGAIN = 'forgiven = tries, replays = replays + 1, next_at = now()';
const REPLAY_ONE = statement(
  'replay-message',
  `UPDATE messages SET status = $2, ${AGAIN} WHERE lane = $1 AND id = $3 RETURNING id`,
);
const REPLAY_RANGE = statement(
  'replay-messages',
  `UPDATE messages SET status = $2, ${AGAIN} WHERE id IN (
     SELECT id FROM messages WHERE lane = $1 AND event_at >= $3 AND event_at < $4 ORDER BY event_at, id
     LIMIT ${REPLAYED_MAX})
   RETURNING id`,
);

export type Replayed = { readonly messageId: string } | { readonly from: Instant; readonly to: Instant };

/** Sends a webhook's message again, or those of a stretch of time; gives how many. */
export async function replayMessages(tx: Query, webhook: Webhook, wanted: Replayed): Promise<number> {
  const status = webhook.disabledReason === null ? 'waiting' : 'held';
  const rows =
    'messageId' in wanted
      ? await tx.query(REPLAY_ONE, [webhook.id, status, wanted.messageId])
      : await tx.query(REPLAY_RANGE, [webhook.id, status, formatInstant(wanted.from), formatInstant(wanted.to)]);
  return rows.length;
}
