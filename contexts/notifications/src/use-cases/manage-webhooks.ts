import { randomBytes } from 'node:crypto';
import { NOTICE_KINDS, type NoticeKind } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import {
  countWebhooks,
  disableWebhook,
  enableWebhook,
  insertWebhook,
  lockWebhook,
  type Replayed,
  removeWebhook,
  replayMessages,
  reviseWebhook,
  type Webhook,
} from '../store/webhooks.ts';

/** Each is asked with every set of events: this house has few. */
const WEBHOOKS_MAX = 100;
/** Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_BYTES = 32;

export type NewWebhook = {
  readonly id: string;
  readonly ownerId: string;
  readonly url: string;
  readonly kinds: readonly NoticeKind[] | undefined;
  readonly description: string | undefined;
};

export type WebhookRefusal = { readonly kind: 'too-many-webhooks' } | { readonly kind: 'webhook-unknown' };

/** Adds a webhook with a secret of its own. Refuses more than a hundred. */
export async function addWebhook(
  tx: Tx,
  { id, ownerId, url, kinds, description }: NewWebhook,
  now: Instant,
): Promise<Result<{ webhook: Webhook; secret: Buffer }, WebhookRefusal>> {
  if ((await countWebhooks(tx)) >= WEBHOOKS_MAX) return refuse({ kind: 'too-many-webhooks' });
  const secret = randomBytes(SECRET_BYTES);
  const webhook: Webhook = {
    ...{ id, ownerId, url, kinds: kinds ?? NOTICE_KINDS, description: description ?? null, createdAt: now },
    ...{ disabledReason: null, failingSince: null },
  };
  await insertWebhook(tx, webhook, secret);
  return accept({ webhook, secret });
}

export type WebhookChange = {
  readonly kinds?: readonly NoticeKind[] | undefined;
  readonly description?: string | undefined;
  readonly enabled?: boolean | undefined;
};

/** Changes what a webhook hears of; holds what is for it, or lets that go. */
export async function changeWebhook(
  tx: Tx,
  id: string,
  { kinds, description, enabled }: WebhookChange,
): Promise<Result<Webhook, WebhookRefusal>> {
  const webhook = await lockWebhook(tx, id);
  if (webhook === undefined) return refuse({ kind: 'webhook-unknown' });
  const changed = { ...webhook, kinds: kinds ?? webhook.kinds, description: description ?? webhook.description };
  await reviseWebhook(tx, id, changed);
  if (enabled === true && webhook.disabledReason !== null) {
    await enableWebhook(tx, id);
    return accept({ ...changed, disabledReason: null, failingSince: null });
  }
  if (enabled === false && webhook.disabledReason === null) {
    await disableWebhook(tx, id, BY_HAND);
    return accept({ ...changed, disabledReason: BY_HAND });
  }
  return accept(changed);
}

const BY_HAND = 'Disabled by hand.';

export async function dropWebhook(tx: Tx, id: string, now: Instant): Promise<Result<undefined, WebhookRefusal>> {
  if ((await lockWebhook(tx, id)) === undefined) return refuse({ kind: 'webhook-unknown' });
  await removeWebhook(tx, id, now);
  return accept(undefined);
}

/** Sends again what a webhook was sent before, with the ids that it had. Gives how many messages. */
export async function replayWebhook(tx: Tx, id: string, wanted: Replayed): Promise<Result<number, WebhookRefusal>> {
  const webhook = await lockWebhook(tx, id);
  if (webhook === undefined) return refuse({ kind: 'webhook-unknown' });
  return accept(await replayMessages(tx, webhook, wanted));
}
