import { isUtf8 } from 'node:buffer';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { escaped } from './validation.ts';

export const JSON_DEPTH_MAX = 20;
/** Values of a body, counted as commas and brackets: far more than any request has, far less than would hurt. */
export const JSON_VALUES_MAX = 20_000;

export type BodyError = FastifyError & { readonly pointer: string };

/** Something about a body that is wrong before any schema looks at it: all of it, or what the pointer says. */
function bodyError(statusCode: 400 | 415, message: string, pointer = ''): BodyError {
  const code = statusCode === 415 ? 'PROVENDER_MEDIA_TYPE' : 'PROVENDER_BODY';
  return Object.assign(new Error(message), { statusCode, code, name: 'BodyError', pointer });
}

export function isBodyError(error: FastifyError): error is BodyError {
  return error.code === 'PROVENDER_BODY' || error.code === 'PROVENDER_MEDIA_TYPE';
}

/**
 * Takes JSON and nothing else: UTF-8, not compressed, not too deep, not too many values, no names that would poison
 * prototypes, no NUL and no half characters in any text. Bodies of other types are 415.
 */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  acceptNothingElse(fastify);
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const wrong = wrongEncoding(request);
    if (wrong !== undefined) return done(bodyError(415, wrong));
    if (bytes.length === 0) return done(null, undefined);
    if (!isUtf8(bytes)) return done(bodyError(400, 'The body is not UTF-8.'));
    const text = bytes.toString('utf8');
    const fault = jsonFault(text);
    if (fault !== undefined) return done(bodyError(400, fault));
    // The parser calls back at once and says by itself what is wrong; only what it says is put in our words.
    void parse(request, text, (error, value) => {
      if (error !== null) return done(bodyError(400, 'The body is not JSON, or names a member that is not allowed.'));
      const unstorable = text.includes('\\u') ? unstorableText(value) : undefined;
      if (unstorable === undefined) return done(null, value);
      return done(bodyError(400, 'A text of the body has a NUL or half a character in it.', unstorable));
    });
  });
}

/** No body at all is no body of a wrong type: `curl -d ''` names the type of a form and sends nothing. */
function acceptNothingElse(fastify: FastifyInstance): void {
  fastify.addContentTypeParser('*', ({ headers }, _payload, done) => {
    const isEmpty = headers['content-length'] === '0' && headers['transfer-encoding'] === undefined;
    if (isEmpty) done(null, undefined);
    else done(bodyError(415, 'The body must be application/json.'));
  });
}

function wrongEncoding({ headers }: FastifyRequest): string | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return 'The body must not be compressed.';
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  return charset === undefined || /^utf-?8$/i.test(charset) ? undefined : 'The body must be in UTF-8.';
}

/** Looks at JSON text without parsing it: how deep it is, and of how many values at most. */
export function jsonFault(text: string): string | undefined {
  let depth = 0;
  let values = 1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfText(text, index);
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      values += 1;
      if (depth > JSON_DEPTH_MAX) return `The body is nested more than ${JSON_DEPTH_MAX} deep.`;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth -= 1;
    } else if (code === COMMA) {
      values += 1;
      if (values > JSON_VALUES_MAX) return `The body has more than ${JSON_VALUES_MAX} values.`;
    }
  }
  return undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function endOfText(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index;
  }
  return text.length;
}

/**
 * Where such a text stands, as a JSON pointer: PostgreSQL takes no NUL, and half a character would come back as another
 * one. Where it is the name of a member, the pointer is that of its object. The depth was bounded before.
 */
function unstorableText(value: unknown, pointer = ''): string | undefined {
  if (typeof value === 'string') return isUnstorable(value) ? pointer : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const found = isUnstorable(name) ? pointer : unstorableText(member, `${pointer}/${escaped(name)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isUnstorable(text: string): boolean {
  return text.includes('\u0000') || !text.isWellFormed();
}
