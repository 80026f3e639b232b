import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Database, type Query, statement, type Tx } from '../database.ts';
import { type Caller, callerName } from './access.ts';
import { problem, type Refused } from './problem.ts';
import type { KeyedRequest } from './route-types.ts';

export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
const PURGE_BATCH_MAX = 5_000;

/** Answers with these are not kept: the request was not understood, not allowed, or not done. */
const NOT_KEPT = new Set([400, 401, 403, 408, 413, 415, 429]);

/** An answer as it goes over the wire, kept for repeats. */
export type KeptAnswer = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Reads and hashes keys with a secret of this installation, so that a stolen table tells no passwords. */
export type Idempotency = {
  /** Takes a request's headers and content. Gives undefined without a key, refuses one of a wrong length. */
  keyOf(request: KeyableRequest): KeyedRequest | Refused<'invalid-request'> | undefined;
  /** What is kept for this key, before the effect is tried; takes the mark that the request is running. */
  claim(tx: Query, keyed: KeyedRequest): Promise<Claim>;
  /** Keeps the answer, in the transaction of the effect. */
  keep(tx: Tx, keyed: KeyedRequest, answer: KeptAnswer, secret: boolean): Promise<void>;
};

export type KeyableRequest = {
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  readonly context: string;
  readonly method: string;
  /** As registered, `/api/users/:id/roles`. */
  readonly pattern: string;
  /** As called, with the query. */
  readonly url: string;
  readonly body: unknown;
};

export type Claim =
  | { readonly kind: 'first' }
  | { readonly kind: 'repeat'; readonly answer: KeptAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refused<'request-in-progress' | 'idempotency-key-reused'> };

export function isKept(status: number): boolean {
  return status < 500 && !NOT_KEPT.has(status);
}

export const keyReused = problem('idempotency-key-reused', {
  detail: 'This Idempotency-Key was used for another request before. Take a new key for a new request.',
});

export const requestInProgress = problem(
  'request-in-progress',
  { detail: 'The first request with this Idempotency-Key is still running. Ask again in a moment.' },
  { 'retry-after': '1' },
);

// The mark is a lock of the transaction: it goes with the connection, so a request that was killed can be repeated.
const TRY_MARK = statement('idempotency-try-mark', 'SELECT pg_try_advisory_xact_lock($1::bigint) AS taken');

const READ_KEPT = statement(
  'idempotency-read',
  `SELECT request_hash AS "requestHash", status, body, sealed_body AS "sealedBody", headers
     FROM idempotency_keys WHERE scope = $1 AND key = $2`,
);

const KEEP = statement(
  'idempotency-keep',
  `INSERT INTO idempotency_keys (scope, key, request_hash, status, body, sealed_body, headers)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);

// By wall time: a fast business clock does not make a caller's promise of a day any shorter.
const PURGE = statement(
  'idempotency-purge',
  `DELETE FROM idempotency_keys WHERE (scope, key) IN
     (SELECT scope, key FROM idempotency_keys WHERE kept_at < now() - interval '25 hours' ORDER BY kept_at LIMIT $1)
   RETURNING 1 AS gone`,
);

/** Forgets answers that were kept for more than a day. Gives how many; call again while it gives the most. */
export async function purgeIdempotencyKeys(db: Database): Promise<number> {
  const gone = await db.withTx((tx) => tx.query(PURGE, [PURGE_BATCH_MAX]));
  return gone.length;
}

/** Forgets all answers that were kept for more than a day, a batch at a time. */
export async function purgeAllIdempotencyKeys(db: Database): Promise<void> {
  while ((await purgeIdempotencyKeys(db)) === PURGE_BATCH_MAX);
}

type KeptRow = {
  readonly requestHash: Buffer;
  readonly status: number;
  readonly body: string | null;
  readonly sealedBody: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
};

/** Takes a secret of at least 32 bytes that stays the same over restarts and in every process of the installation. */
export function idempotency(secretKey: Buffer): Idempotency {
  if (secretKey.length < 32) throw new Error('The secret key for idempotency has fewer than 32 bytes');
  const hashKey = Buffer.from(hkdfSync('sha256', secretKey, '', 'idempotency request hash', 32)).toString('hex');
  const sealKey = Buffer.from(hkdfSync('sha256', secretKey, '', 'idempotency sealed answer', 32));

  return {
    keyOf({ headers, caller, context, method, pattern, url, body }) {
      const key = headers['idempotency-key'];
      if (key === undefined) return undefined;
      if (typeof key !== 'string' || key.length === 0 || key.length > IDEMPOTENCY_KEY_LENGTH_MAX) return badKey;
      // One call with the key in front: an HMAC for each request was 12 % of a small one, and the hash stays here.
      const requestHash = hash(
        'sha256',
        `${hashKey}
${url}
${canonicalJson(body)}`,
        'buffer',
      );
      return { key, scope: `${context} ${callerName(caller)} ${method} ${pattern}`, requestHash };
    },

    async claim(tx, keyed) {
      // Both are sent at once; the second's snapshot is taken after the mark, so it sees a first that has just ended.
      const [marks, rows] = await Promise.all([
        tx.query<{ taken: boolean }>(TRY_MARK, [markOf(keyed)]),
        tx.query<KeptRow>(READ_KEPT, [keyed.scope, keyed.key]),
      ]);
      const kept = rows[0];
      if (kept === undefined) {
        return marks[0]?.taken === true ? { kind: 'first' } : { kind: 'refused', refusal: requestInProgress };
      }
      if (!kept.requestHash.equals(keyed.requestHash)) return { kind: 'refused', refusal: keyReused };
      const body = kept.sealedBody === null ? (kept.body ?? '') : unseal(sealKey, kept.sealedBody);
      return { kind: 'repeat', answer: { status: kept.status, headers: kept.headers, body } };
    },

    async keep(tx, { key, scope, requestHash }, { status, body, headers }, secret) {
      const plain = secret ? null : body;
      const sealed = secret ? seal(sealKey, body) : null;
      await tx.query(KEEP, [scope, key, requestHash, status, plain, sealed, JSON.stringify(headers)]);
    },
  };
}

const badKey = problem('invalid-request', {
  detail: `An Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters.`,
  errors: [{ pointer: '/headers/idempotency-key', detail: `must have 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters` }],
});

/** A 64-bit number for the lock, as text since it is beyond what a JavaScript number holds. */
function markOf({ scope, key }: KeyedRequest): string {
  return hash('sha256', `${scope}\n${key}`, 'buffer').readBigInt64BE(0).toString();
}

/** JSON with the members of objects in order of their names: the same request, however its sender wrote it. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sortMembers) ?? '';
}

function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function seal(key: Buffer, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: Buffer, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString('utf8');
}
