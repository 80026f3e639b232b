import type { JSONWebKeySet } from 'jose';
import type { Log } from '../module.ts';

/** Where a process keeps the keys that it had last, for a restart while the issuer is away: its own database. */
export type KeyShelf = {
  kept(issuer: string): Promise<JSONWebKeySet | undefined>;
  keep(issuer: string, keys: JSONWebKeySet): Promise<void>;
};

export type PublishedKeysOptions = {
  /** Where the issuer publishes its keys (RFC 7517). */
  readonly url: () => string;
  readonly issuer: () => string;
  readonly shelf: KeyShelf;
  readonly log: Log;
};

const ANSWER_MILLISECONDS_MAX = 2_000;
const ANSWER_LENGTH_MAX = 100_000;
const KEYS_MAX = 50;

/**
 * The issuer's keys as it publishes them, in another process. What was read is kept; where it cannot be read, what was
 * kept last is taken instead. Throws, as unavailable, where nothing was ever read.
 */
export function publishedKeys({ url, issuer, shelf, log }: PublishedKeysOptions): () => Promise<JSONWebKeySet> {
  let written = '';

  async function keep(keys: JSONWebKeySet): Promise<void> {
    const text = JSON.stringify(keys);
    if (text === written) return;
    await shelf.keep(issuer(), keys);
    written = text;
  }

  return async () => {
    try {
      const keys = await readKeys(url());
      await keep(keys).catch((error: unknown) => log.warn({ err: error }, 'The keys of tokens could not be kept'));
      return keys;
    } catch (error) {
      const kept = await shelf.kept(issuer()).catch(() => undefined);
      if (kept === undefined) {
        throw Object.assign(new Error('The keys of access tokens cannot be had', { cause: error }), { code: AWAY });
      }
      log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'Tokens are verified by kept keys');
      return kept;
    }
  };
}

/** The code of a server that is not there: whoever sent the token is asked to come again. */
const AWAY = 'ECONNREFUSED';

async function readKeys(url: string): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(ANSWER_MILLISECONDS_MAX);
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  const text = await response.text();
  if (!response.ok || text.length > ANSWER_LENGTH_MAX) throw new Error(`${url} answered ${response.status}`);
  const body: unknown = JSON.parse(text);
  if (!isKeySet(body)) throw new Error(`What ${url} answered are no keys`);
  return body;
}

/** The shape of a key set; the verifier looks at each key itself. An empty set would lock everybody out: it is none. */
function isKeySet(body: unknown): body is JSONWebKeySet {
  if (typeof body !== 'object' || body === null || !('keys' in body) || !Array.isArray(body.keys)) return false;
  return body.keys.length > 0 && body.keys.length <= KEYS_MAX && body.keys.every((key) => typeof key === 'object');
}
