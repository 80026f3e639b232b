import { money } from '@provender/kernel';
import { type ContextPlatform, stopwatch } from '@provender/platform';
import { createTransport } from 'nodemailer';
import { type MailData, type MailFacts, mailOf } from '../domain/mail.ts';
import { putInMailbox, type PutMail } from '../store/mailbox.ts';
import type { Outgoing } from '../store/messages.ts';
import { type Channel, detailOf, type Outcome, sendEach } from './channel.ts';

const CONNECTIONS_MAX = 4;
const CONNECT_MILLISECONDS_MAX = 10_000;
const ANSWER_MILLISECONDS_MAX = 30_000;

/** Mail by any SMTP server, or, where none is set, into a mailbox that a manager can read over the API. */
export function openEmail(platform: ContextPlatform): Channel {
  const { smtpUrl } = platform.settings;
  return smtpUrl === undefined ? mailbox(platform) : smtp(platform, smtpUrl);
}

function factsOf(message: Outgoing): MailFacts {
  const { kind, eventAt, data, recipientName, siteName, timeZone, productName } = message;
  const { orderId, lines, total, currency, placedAt } = message;
  const isKnown = orderId !== null && lines !== null && total !== null && currency !== null && placedAt !== null;
  return {
    kind,
    eventAt,
    // The kind says which event it was, and that which data it has.
    data: data as MailData,
    recipientName: recipientName ?? undefined,
    site: siteName === null || timeZone === null ? undefined : { name: siteName, timeZone },
    productName: productName ?? undefined,
    order: isKnown ? { id: orderId, lines, total: money(total, currency), placedAt } : undefined,
  };
}

function mailbox({ db, clock, settings }: ContextPlatform): Channel {
  return {
    name: 'email',
    async send(messages) {
      const elapsed = stopwatch();
      try {
        const mails = messages.map((message): PutMail => {
          return { id: message.id, recipient: message.address, sender: settings.mailFrom, ...mailOf(factsOf(message)) };
        });
        await db.withTx((tx) => putInMailbox(tx, mails, clock.now()));
        return messages.map(() => ({ kind: 'delivered', detail: 'Put into the mailbox', milliseconds: elapsed() }));
      } catch (error) {
        const failed = { detail: detailOf(error), milliseconds: elapsed(), isFinal: false, isClosed: true };
        return messages.map(() => ({ kind: 'failed', ...failed }));
      }
    },
    close: async () => {},
  };
}

function smtp({ settings }: ContextPlatform, url: string): Channel {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: CONNECT_MILLISECONDS_MAX,
    greetingTimeout: CONNECT_MILLISECONDS_MAX,
    socketTimeout: ANSWER_MILLISECONDS_MAX,
    // Nothing that somebody wrote is ever read from a file or fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  async function sendOne(message: Outgoing): Promise<Outcome> {
    const elapsed = stopwatch();
    try {
      const { subject, text, html } = mailOf(factsOf(message));
      const { response } = await transport.sendMail({
        from: settings.mailFrom,
        to: { name: message.recipientName ?? '', address: message.address },
        subject,
        text,
        html,
        // The same however often it is tried, so that a mail server or reader can tell a repeat from a new one.
        messageId: `<${message.id}@provender>`,
        date: new Date(message.eventAt),
        headers: { 'auto-submitted': 'auto-generated' },
      });
      return { kind: 'delivered', detail: detailOf(response), milliseconds: elapsed() };
    } catch (error) {
      return { kind: 'failed', detail: detailOf(error), milliseconds: elapsed(), ...blameOf(error) };
    }
  }

  return {
    name: 'email',
    // What one person gets comes in order.
    send: (messages) => sendEach(messages, { atOnceMax: CONNECTIONS_MAX, groupOf: ({ address }) => address }, sendOne),
    close: async () => transport.close(),
  };
}

/** Codes that are about the connection, whatever they answer: the server goes away, or wants somebody to sign in. */
const CODES_OF_CONNECTIONS: readonly unknown[] = [421, 530];

/**
 * Only a server that has heard whom a mail is for, or has read all of it, can refuse that mail for good, with 5xx.
 * Whatever it says before is about us (greeting, sign-in, sender): no mail would be taken now, each is tried again.
 */
function blameOf(error: unknown): { readonly isFinal: boolean; readonly isClosed: boolean } {
  // What is thrown is the library's: each of these is there or not.
  const { code, command, responseCode } = Object(error) as {
    readonly [Member in 'code' | 'command' | 'responseCode']?: unknown;
  };
  const isOfMail = command === 'RCPT TO' || (command === 'DATA' && code === 'EMESSAGE');
  if (!isOfMail || typeof responseCode !== 'number' || CODES_OF_CONNECTIONS.includes(responseCode)) {
    return { isFinal: false, isClosed: true };
  }
  return { isFinal: responseCode >= 500, isClosed: false };
}
