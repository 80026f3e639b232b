import { MailPage, MailQuery, type MailView, MessagePage, MessageQuery, type MessageView } from '@provender/contracts';
import { formatInstant, instant } from '@provender/kernel';
import { type Database, type HttpApp, page, paged, read, type Rendered } from '@provender/platform';
import { type KeptMail, listMails } from '../store/mailbox.ts';
import { listMessages, type MessageRow } from '../store/messages.ts';

const MANAGER = ['manager'] as const;

/** What was sent to whom, and how it went; and the mail that would have gone out. */
export function messageRoutes(app: HttpApp, db: Database): void {
  read(app, {
    method: 'GET',
    url: '/api/notifications/messages',
    access: MANAGER,
    summary: 'Every message with every attempt to send it, newest first',
    schema: { querystring: MessageQuery, response: MessagePage },
    async handle({ query }) {
      const paging = paged(query, ['instant', 'uuid']);
      if (!paging.ok) return paging.refusal;
      const { channel, status, email, webhookId, orderId } = query;
      const address = email ?? webhookId;
      const rows = await listMessages(db, { ...paging.value, channel, status, address, orderId });
      return page(rows, paging.value.limit, messageView, ({ eventAt, id }) => [eventAt, id]);
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/mailbox',
    access: MANAGER,
    summary: 'The mailbox for development, newest first: mail goes here while SMTP_URL is not set',
    schema: { querystring: MailQuery, response: MailPage },
    async handle({ query }) {
      const paging = paged(query, ['instant', 'uuid']);
      if (!paging.ok) return paging.refusal;
      const to = query.to === undefined ? {} : { to: query.to };
      const mails = await listMails(db, { ...paging.value, ...to });
      return page(mails, paging.value.limit, mailView, ({ sentAt, id }) => [sentAt, id]);
    },
  });
}

function messageView(row: MessageRow): Rendered<MessageView> {
  const { id, eventId, kind, channel, address, userId, orderId, status, eventAt, nextAt, replays, attempts } = row;
  return {
    ...{ id, eventId, kind, channel, address, status, replays },
    userId: userId ?? undefined,
    orderId: orderId ?? undefined,
    eventAt: formatInstant(eventAt),
    nextAttemptAt: status === 'waiting' ? formatInstant(nextAt) : undefined,
    attempts: attempts.map(({ at, ok, detail, milliseconds }) => {
      return { at: formatInstant(instant(Math.floor(at))), ok, detail, milliseconds };
    }),
  };
}

function mailView({ id, recipient, sender, subject, text, html, sentAt }: KeptMail): Rendered<MailView> {
  return { id, to: recipient, from: sender, subject, text, html, sentAt: formatInstant(sentAt) };
}
