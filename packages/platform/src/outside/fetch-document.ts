import type { Milliseconds } from '@provender/kernel';

/** What an outside source said of its document, to ask next time whether it has changed (RFC 9110 §13). */
export type Validators = { readonly etag?: string; readonly lastModified?: string };

export type SourceRequest = {
  /** A user and a password in it are sent as HTTP Basic authentication. */
  readonly url: string;
  readonly validators?: Validators;
  /** For everything together: to connect, to wait, and to read the body, however slowly it drips. */
  readonly timeoutMilliseconds: Milliseconds;
  /** Of the body as it is read, so that a small packed one cannot become a large one. */
  readonly bodyBytesMax: number;
  /** Gives the request up before its time: the process stops. */
  readonly signal?: AbortSignal;
};

export type SourceFault = {
  readonly kind: 'unreachable' | 'timed-out' | 'refused' | 'too-large' | 'not-json';
  /** A sentence for people. Holds nothing of the address, in which a password may stand. */
  readonly detail: string;
};

export type SourceAnswer =
  | { readonly kind: 'document'; readonly document: unknown; readonly validators: Validators }
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'fault'; readonly fault: SourceFault };

/**
 * Asks an outside source for its JSON document, and believes nothing: gives a fault where it is down, slow, answers
 * with anything but 200 (or 304 to validators), sends too much or no JSON. What the document means is the caller's to
 * judge. Never throws, and follows no redirect.
 */
export async function fetchDocument(request: SourceRequest): Promise<SourceAnswer> {
  const { url, validators = {}, timeoutMilliseconds, signal } = request;
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  const { address, authorization } = addressOf(url);
  try {
    const response = await fetch(address, {
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(validators.etag === undefined ? {} : { 'if-none-match': validators.etag }),
        ...(validators.lastModified === undefined ? {} : { 'if-modified-since': validators.lastModified }),
      },
    });
    const wasAsked = validators.etag !== undefined || validators.lastModified !== undefined;
    if (response.status === 304 && wasAsked) return { kind: 'not-modified' };
    if (response.status !== 200) {
      await response.body?.cancel();
      return faultOf('refused', `The source answered ${response.status}.`);
    }
    return await documentOf(response, request.bodyBytesMax);
  } catch {
    if (timeout.aborted) return faultOf('timed-out', `The source did not answer within ${timeoutMilliseconds} ms.`);
    return faultOf('unreachable', 'The source could not be reached, or broke off.');
  }
}

function faultOf(kind: SourceFault['kind'], detail: string): SourceAnswer {
  return { kind: 'fault', fault: { kind, detail } };
}

/** fetch refuses an address with a user in it. */
function addressOf(url: string): { readonly address: string; readonly authorization: string | undefined } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = username === '' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
  return { address: parsed.href, authorization };
}

async function documentOf(response: Response, bodyBytesMax: number): Promise<SourceAnswer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > bodyBytesMax) return faultOf('too-large', `The source sent more than ${bodyBytesMax} bytes.`);
    chunks.push(chunk);
  }
  const document = parsed(chunks);
  if (document === undefined) return faultOf('not-json', 'The source sent something that is no JSON.');
  const etag = response.headers.get('etag') ?? undefined;
  const lastModified = response.headers.get('last-modified') ?? undefined;
  const validators = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
  return { kind: 'document', document, validators };
}

/** JSON has no `undefined`, so that is free to say that there was none. */
function parsed(chunks: readonly Uint8Array[]): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return undefined;
  }
}

const BACK_OFF_JITTER = 0.2;

/** How long to wait before an outside source is asked again: twice as long after each failure, a little apart each. */
export function backOff(failures: number, first: Milliseconds, longest: Milliseconds): Milliseconds {
  const pause = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(pause * (1 - BACK_OFF_JITTER * Math.random()));
}
