import type { AttackedTown } from '../support/attacked-town.ts';
import { at, MANAGER, missing, PEOPLE, type Row } from './matrix-rows.ts';

/** An address of this machine at which nobody listens: what goes there goes nowhere. */
export const webhookDraft = { url: 'http://127.0.0.1:9/hook', kinds: ['waste-limit-passed'], description: 'Attacked' };
const stretch = { from: '2026-11-21T00:00:00.000Z', to: '2026-11-22T00:00:00.000Z' };

const kept = new WeakMap<AttackedTown, Promise<string>>();

/** The town's webhook, made when it is first asked for: there may be a hundred only. */
export function webhookOf(town: AttackedTown): Promise<string> {
  const webhook = kept.get(town) ?? freshWebhook(town);
  kept.set(town, webhook);
  return webhook;
}

export async function freshWebhook(town: AttackedTown): Promise<string> {
  const made = await town.call<{ id: string }>('manager', 'POST /api/webhooks', { body: webhookDraft });
  if (made.status !== 201) throw new Error(`The webhook answered ${made.status}: ${made.text}`);
  return made.body.id;
}

/** What people hear of, and what is sent where: all of it for managers, a person's own wishes aside. */
export const notificationRows: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/notifications/preferences': [['own', PEOPLE, at('/api/notifications/preferences')]],
  'PUT /api/notifications/preferences': [
    ['own', PEOPLE, () => ({ path: '/api/notifications/preferences', body: { email: { 'order-paid': true } } })],
  ],
  'GET /api/notifications/messages': [['all', MANAGER, at('/api/notifications/messages')]],
  'GET /api/mailbox': [['all', MANAGER, at('/api/mailbox')]],
  'GET /api/live': [['all', '401 200 200 200 200', at('/api/live?topics=orders,stock')]],
  'GET /api/webhooks': [['all', MANAGER, at('/api/webhooks')]],
  'GET /api/webhooks/:id': [
    ['own', MANAGER, async (town) => ({ path: `/api/webhooks/${await webhookOf(town)}` })],
    missing('/api/webhooks/{id}', '401 403 403 404 403'),
  ],
  'POST /api/webhooks': [['all', '401 403 403 201 403', () => ({ path: '/api/webhooks', body: webhookDraft })]],
  'PATCH /api/webhooks/:id': [
    [
      'own',
      MANAGER,
      async (town) => ({ path: `/api/webhooks/${await webhookOf(town)}`, body: { description: 'Changed' } }),
    ],
    missing('/api/webhooks/{id}', '401 403 403 404 403', { enabled: true }),
  ],
  'DELETE /api/webhooks/:id': [
    ['own', '401 403 403 204 403', async (town) => ({ path: `/api/webhooks/${await freshWebhook(town)}` })],
    missing('/api/webhooks/{id}', '401 403 403 404 403'),
  ],
  'POST /api/webhooks/:id/replay': [
    ['own', MANAGER, async (town) => ({ path: `/api/webhooks/${await webhookOf(town)}/replay`, body: stretch })],
    missing('/api/webhooks/{id}/replay', '401 403 403 404 403', stretch),
  ],
};
