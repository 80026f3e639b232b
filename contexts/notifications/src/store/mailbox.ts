import { formatInstant, type Instant } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';

const PUT = statement(
  'put-in-mailbox',
  // A mail that is tried again after a lost commit is in there already.
  `INSERT INTO mailbox (id, recipient, sender, subject, text, html, sent_at)
   SELECT id, recipient, sender, subject, text, html, $7
   FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     AS mail (id, recipient, sender, subject, text, html)
   ON CONFLICT (id) DO NOTHING`,
);
const MAILS = statement(
  'mailbox',
  `SELECT id, recipient, sender, subject, text, html, sent_at AS "sentAt" FROM mailbox
   WHERE ($2::timestamptz IS NULL OR (sent_at, id) < ($2, $3::uuid)) AND ($4::text IS NULL OR recipient = $4)
   ORDER BY sent_at DESC, id DESC LIMIT $1`,
);
const PURGED_MAX = 50_000;
const PURGE = statement(
  'purge-mailbox',
  `DELETE FROM mailbox WHERE id IN (
     SELECT id FROM mailbox ORDER BY sent_at DESC, id DESC OFFSET $1 LIMIT ${PURGED_MAX})`,
);

export type PutMail = {
  readonly id: string;
  readonly recipient: string;
  readonly sender: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};
export type KeptMail = PutMail & { readonly sentAt: Instant };

export async function putInMailbox(tx: Query, mails: readonly PutMail[], at: Instant): Promise<void> {
  await tx.query(PUT, [
    mails.map(({ id }) => id),
    mails.map(({ recipient }) => recipient),
    mails.map(({ sender }) => sender),
    mails.map(({ subject }) => subject),
    mails.map(({ text }) => text),
    mails.map(({ html }) => html),
    formatInstant(at),
  ]);
}

export type MailSearch = { readonly limit: number; readonly after?: readonly [Instant, string]; readonly to?: string };

/** Newest first; one row more than the limit, so that the last page is known as such. */
export function listMails(query: Query, { limit, after, to }: MailSearch): Promise<KeptMail[]> {
  const from = [after === undefined ? null : formatInstant(after[0]), after?.[1] ?? null];
  return query.query<KeptMail>(MAILS, [limit + 1, ...from, to ?? null]);
}

/** Forgets all but the newest. */
export async function purgeMailbox(tx: Query, keptMax: number): Promise<void> {
  await tx.query(PURGE, [keptMax]);
}
