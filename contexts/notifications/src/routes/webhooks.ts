import {
  IdParams,
  NoContent,
  PageQuery,
  ReplayDraft,
  ReplayView,
  WebhookCreated,
  WebhookDraft,
  WebhookPage,
  WebhookRevision,
  WebhookView,
} from '@provender/contracts';
import { formatInstant, parseInstant } from '@provender/kernel';
import {
  answer,
  type Database,
  type HttpApp,
  type Ids,
  page,
  paged,
  problem,
  read,
  type Rendered,
  write,
} from '@provender/platform';
import type { UrlRefusal } from '../domain/webhook-url.ts';
import { listWebhooks, readWebhook, type Replayed, type Webhook } from '../store/webhooks.ts';
import {
  addWebhook,
  changeWebhook,
  dropWebhook,
  replayWebhook,
  type WebhookRefusal,
} from '../use-cases/manage-webhooks.ts';

export type WebhooksPlace = {
  readonly db: Database;
  readonly ids: Ids;
  /** Says why nothing may be sent to an address; undefined where it may. Resolves its name. */
  readonly urlFault: (url: string) => Promise<UrlRefusal['kind'] | undefined>;
  readonly shownSecret: (secret: Buffer) => string;
  readonly wake: () => void;
};

const MANAGER = ['manager'] as const;

export function webhookRoutes(app: HttpApp, place: WebhooksPlace): void {
  readRoutes(app, place);
  addRoute(app, place);
  changeRoutes(app, place);
  replayRoute(app, place);
}

function readRoutes(app: HttpApp, { db }: WebhooksPlace): void {
  read(app, {
    method: 'GET',
    url: '/api/webhooks',
    access: MANAGER,
    summary: 'All webhooks, newest first',
    schema: { querystring: PageQuery, response: WebhookPage },
    async handle({ query }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const { limit, after } = paging.value;
      return page(await listWebhooks(db, limit, after?.[0]), limit, webhookView, ({ id }) => [id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/webhooks/:id',
    access: MANAGER,
    summary: 'One webhook',
    schema: { params: IdParams, response: WebhookView },
    async handle({ params }) {
      const webhook = await readWebhook(db, params.id);
      return webhook === undefined ? noSuchWebhook() : webhookView(webhook);
    },
  });
}

function addRoute(app: HttpApp, { db, ids, urlFault, shownSecret }: WebhooksPlace): void {
  write(app, {
    method: 'POST',
    url: '/api/webhooks',
    access: MANAGER,
    summary: 'Adds a webhook; its secret is shown this once',
    description:
      'Messages are signed as Standard Webhooks 1.0 says, tried again for days with growing waits, and each keeps ' +
      'its id. An answer of 2xx takes a message; 410 asks for no more; redirects are not followed.',
    schema: { body: WebhookDraft, response: { 201: WebhookCreated } },
    db,
    secret: true,
    problems: { 'too-many-webhooks': 409 },
    prepare: ({ body }) => urlFault(body.url),
    async handle({ body, caller, now }, tx, fault) {
      if (fault !== undefined) return badUrl(fault);
      const { url, kinds, description } = body;
      const added = await addWebhook(tx, { id: ids.next(), ownerId: caller.id, url, kinds, description }, now);
      if (!added.ok) return refused(added.refusal);
      const { webhook, secret } = added.value;
      return answer(201, { ...webhookView(webhook), secret: shownSecret(secret) });
    },
  });
}

function changeRoutes(app: HttpApp, { db, wake }: WebhooksPlace): void {
  write(app, {
    method: 'PATCH',
    url: '/api/webhooks/:id',
    access: MANAGER,
    summary: 'Changes what a webhook hears of, disables it or enables it again',
    schema: { params: IdParams, body: WebhookRevision, response: { 200: WebhookView } },
    db,
    problems: { 'too-many-webhooks': 409 },
    async handle({ params, body }, tx) {
      const changed = await changeWebhook(tx, params.id, body);
      wake();
      return changed.ok ? answer(200, webhookView(changed.value)) : refused(changed.refusal);
    },
  });
  write(app, {
    method: 'DELETE',
    url: '/api/webhooks/:id',
    access: MANAGER,
    summary: 'Removes a webhook; what was on its way to it is given up',
    schema: { params: IdParams, response: { 204: NoContent } },
    db,
    problems: { 'too-many-webhooks': 409 },
    async handle({ params, now }, tx) {
      const dropped = await dropWebhook(tx, params.id, now);
      return dropped.ok ? answer(204) : refused(dropped.refusal);
    },
  });
}

function replayRoute(app: HttpApp, { db, wake }: WebhooksPlace): void {
  write(app, {
    method: 'POST',
    url: '/api/webhooks/:id/replay',
    access: MANAGER,
    summary: 'Sends a webhook again what it was sent: one message, or those of a stretch of time',
    description: 'They go out with the ids that they had, ten thousand at most at once.',
    schema: { params: IdParams, body: ReplayDraft, response: { 200: ReplayView } },
    db,
    problems: { 'too-many-webhooks': 409 },
    async handle({ params, body }, tx) {
      const wanted = replayedOf(body);
      if (wanted === undefined) return badReplay();
      const replayed = await replayWebhook(tx, params.id, wanted);
      if (!replayed.ok) return refused(replayed.refusal);
      if (replayed.value === 0 && 'messageId' in wanted) return noSuchMessage();
      wake();
      return answer(200, { replayed: replayed.value });
    },
  });
}

/** What is to be replayed; undefined where the request says both, or neither. */
function replayedOf({ messageId, from, to }: ReplayDraft): Replayed | undefined {
  if (messageId !== undefined) return from === undefined && to === undefined ? { messageId } : undefined;
  const [start, end] = [from, to].map((text) => (text === undefined ? undefined : parseInstant(text)));
  return start === undefined || end === undefined || end <= start ? undefined : { from: start, to: end };
}

function badReplay() {
  const errors = [{ pointer: '', detail: 'must have messageId, or from and a later to' }];
  return problem('invalid-request', { detail: 'Say which message, or from when until when.', errors });
}

const URL_ADVICE = {
  'not-a-url': 'is not an address',
  'not-https': 'must begin with https://',
  'has-credentials': 'must have no user and password in it',
  'private-address': 'must not be of a private network, nor this machine',
  'wrong-port': 'must have a port that there is',
} as const satisfies Record<UrlRefusal['kind'], string>;

function badUrl(fault: UrlRefusal['kind']) {
  const errors = [{ pointer: '/url', detail: URL_ADVICE[fault] }];
  return problem('invalid-request', { detail: 'Nothing can be sent to that address.', errors });
}

function refused({ kind }: WebhookRefusal) {
  if (kind === 'webhook-unknown') return noSuchWebhook();
  return problem('too-many-webhooks', { detail: 'There are a hundred webhooks already: remove one first.' });
}

function noSuchWebhook() {
  return problem('not-found', { detail: 'There is no such webhook.' });
}

function noSuchMessage() {
  return problem('not-found', { detail: 'This webhook was never sent such a message.' });
}

function webhookView(webhook: Webhook): Rendered<WebhookView> {
  const { id, url, kinds, description, createdAt, disabledReason, failingSince } = webhook;
  return {
    id,
    url,
    kinds,
    description: description ?? undefined,
    enabled: disabledReason === null,
    disabledReason: disabledReason ?? undefined,
    failingSince: failingSince === null ? undefined : formatInstant(failingSince),
    createdAt: formatInstant(createdAt),
  };
}
