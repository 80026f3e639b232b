import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. About 20 ms of one core here. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** At most so many hashes at once: half of the four threads of libuv's pool, and 38 MiB, whoever asks for how many. */
export const HASHES_AT_ONCE_MAX = 2;

/** At most so many wait for their turn, about four seconds' work. More are told to come back. */
export const HASHES_WAITING_MAX = 400;

const argon2Async = promisify(argon2);

/** Too many hashes wait already; nothing is wrong with the request. */
export type Busy = { readonly kind: 'busy' };

export type HashQueue = {
  /** Runs the work when one of the few places is free. Gives undefined, without running it, where too many wait. */
  run<Value>(work: () => Promise<Value>): Promise<Value | undefined>;
};

/** The places for hashing in this process: registrations and sign-ins share them. */
export function hashQueue(atOnceMax = HASHES_AT_ONCE_MAX, waitingMax = HASHES_WAITING_MAX): HashQueue {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running >= atOnceMax) {
        if (waiting.length >= waitingMax) return undefined;
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        running += 1;
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}

function parametersOf(password: string, salt: Buffer, memory = MEMORY_KIB, passes = PASSES, parallelism = LANES) {
  return {
    message: password,
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength: HASH_BYTES,
  } satisfies Argon2Parameters;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Gives the argon2id hash of a password as a PHC string, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await argon2Async('argon2id', parametersOf(password, salt));
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(salt)}$${unpadded(hash)}`;
}

const PHC_PATTERN =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/;

/** The hash of no password: what is checked for an account that is not there, so that the answer takes as long. */
const NOBODY = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** True where the password belongs to the hash. Without a hash it works as long and gives false. */
export async function passwordMatches(password: string, phc: string | undefined): Promise<boolean> {
  const match = PHC_PATTERN.exec(phc ?? NOBODY);
  if (match === null) throw new Error('A stored password hash is not a PHC string of argon2id');
  const [, memory, passes, lanes, salt = '', hash = ''] = match;
  const parameters = parametersOf(password, Buffer.from(salt, 'base64'), Number(memory), Number(passes), Number(lanes));
  const found = await argon2Async('argon2id', parameters);
  return timingSafeEqual(found, Buffer.from(hash, 'base64')) && phc !== undefined;
}
