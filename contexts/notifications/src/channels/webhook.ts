import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { Agent as PlainAgent, type IncomingMessage, request as requestPlain, type RequestOptions } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { formatInstant } from '@provender/kernel';
import { type ContextPlatform, stopwatch, wallNow } from '@provender/platform';
import { reachOf } from '../domain/net-address.ts';
import { mayReach, readWebhookUrl } from '../domain/webhook-url.ts';
import type { Outgoing } from '../store/messages.ts';
import { type Channel, detailOf, inTime, type Outcome, sendEach } from './channel.ts';

const AT_ONCE_MAX = 5;
const ANSWER_MILLISECONDS_MAX = 15_000;
const RESOLVE_MILLISECONDS_MAX = 5_000;
/** Of the other side's answer, to let it finish; nobody reads it. */
const ANSWER_BYTES_MAX = 64 * 1_024;

/** An address of a host, all of whose addresses may be reached. */
export type Resolved = { readonly address: string; readonly family: 4 | 6 };

/** A host that must not be reached from here. */
export class PrivateAddress extends Error {}

/** All addresses that a name has. */
type LookUp = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Resolves a host. Whoever sends must connect to what was looked at here, and not resolve the name again. */
export async function resolveHost(
  hostname: string,
  allowsLoopback: boolean,
  lookUp: LookUp = addressesOf,
): Promise<Resolved> {
  const addresses = await lookUp(hostname.replace(/^\[|\]$/g, ''));
  // A name with a public and a private address is one that somebody plays with.
  if (!addresses.every(({ address }) => mayReach(reachOf(address), allowsLoopback))) {
    throw new PrivateAddress('The address is of a private network');
  }
  const [first] = addresses;
  if (first === undefined) throw new Error('The name has no address');
  return { address: first.address, family: first.family === 6 ? 6 : 4 };
}

async function addressesOf(host: string): ReturnType<LookUp> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  return inTime(lookup(host, { all: true, verbatim: true }), RESOLVE_MILLISECONDS_MAX);
}

/**
 * Standard Webhooks 1.0: the signature is the HMAC of id, timestamp and body, so that whoever gets it knows that we
 * have sent it, when, and that nothing was changed on the way.
 */
export function signatureOf(secret: Buffer, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** The secret as it is shown, with the prefix that libraries for Standard Webhooks know it by. */
export function shownSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/** The body of a message: the same bytes however often it is sent. */
export function bodyOf({ type, eventAt, data }: Pick<Outgoing, 'type' | 'eventAt' | 'data'>): string {
  return JSON.stringify({ type, timestamp: formatInstant(eventAt), data });
}

export function openWebhooks({ settings: { webhookLoopback } }: ContextPlatform): Channel {
  const agents = { 'https:': new Agent({ keepAlive: true }), 'http:': new PlainAgent({ keepAlive: true }) };

  async function sendOne(message: Outgoing): Promise<Outcome> {
    const elapsed = stopwatch();
    try {
      const answer = await post(message);
      return outcomeOf(answer, elapsed());
    } catch (error) {
      const detail = isTimeout(error) ? 'No answer in time' : detailOf(error);
      return { kind: 'failed', detail, milliseconds: elapsed(), isFinal: false, isClosed: true };
    }
  }

  async function post(message: Outgoing): Promise<IncomingMessage> {
    const { id, secret } = message;
    const read = readWebhookUrl(message.url ?? '', webhookLoopback);
    if (!read.ok || secret === null) throw new PrivateAddress('The address is no longer one to send to');
    const url = read.value;
    const resolved = await resolveHost(url.hostname, webhookLoopback);
    const body = bodyOf(message);
    const timestamp = Math.floor(wallNow() / 1_000);
    const options: RequestOptions = {
      method: 'POST',
      agent: url.protocol === 'http:' ? agents['http:'] : agents['https:'],
      signal: AbortSignal.timeout(ANSWER_MILLISECONDS_MAX),
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Provender',
        'webhook-id': id,
        'webhook-timestamp': `${timestamp}`,
        'webhook-signature': signatureOf(secret, id, timestamp, body),
      },
      lookup: lookedUp(resolved),
    };
    return sent(url, options, body);
  }

  return {
    name: 'webhook',
    // The standard promises no order: each message says when it happened.
    send: (messages) => sendEach(messages, { atOnceMax: AT_ONCE_MAX, groupOf: ({ id }) => id }, sendOne),
    async close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** A resolver that knows one answer: the address that was looked at. */
function lookedUp({ address, family }: Resolved): NonNullable<RequestOptions['lookup']> {
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

/** Sends, and reads a bounded part of the answer to its end. Redirects are not followed: they are an answer. */
function sent(url: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'http:' ? requestPlain : request)(url, options, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) answer.destroy();
      });
      answer.on('close', () => resolve(answer));
      answer.on('error', () => {});
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function outcomeOf({ statusCode = 0, statusMessage = '' }: IncomingMessage, milliseconds: number): Outcome {
  const detail = detailOf(`${statusCode} ${statusMessage}`.trim());
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered', detail, milliseconds };
  const failed = { kind: 'failed', milliseconds, isFinal: false } as const;
  if (statusCode === 410) return { ...failed, detail, isClosed: true, isUnwanted: true };
  if (statusCode >= 300 && statusCode < 400) {
    return { ...failed, detail: `${detail}: redirects are not followed`, isClosed: true };
  }
  return { ...failed, detail, isClosed: statusCode >= 500 || statusCode === 429 };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
