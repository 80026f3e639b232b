import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { problem, type Refused } from './problem.ts';
import { isUnstorable } from './json-body.ts';

const NUMBER_PATTERN = /^-?(0|[1-9]\d{0,14})$/;

type Members = Readonly<Record<string, { readonly type?: unknown }>>;

/**
 * An address is all text: members of a query that the schema wants as numbers or booleans become such, where the
 * text is exactly one. `10` does, `1e1`, ` 10`, `0x0a` and nothing do not, and are then refused by the schema.
 */
export function queryReader(schema: TSchema | undefined): (request: FastifyRequest) => Refused | undefined {
  const members: Members = (schema as { readonly properties?: Members } | undefined)?.properties ?? {};
  const integers = Object.keys(members).filter((name) => members[name]?.type === 'integer');
  const booleans = Object.keys(members).filter((name) => members[name]?.type === 'boolean');

  return (request) => {
    // Fastify's parser gives an object of texts, and lists of texts where a name comes twice.
    const query = request.query as Record<string, unknown>;
    if (hasUnstorable(query) || hasUnstorable(request.params as Record<string, unknown>)) return unstorable;
    for (const name of integers) {
      const text = query[name];
      if (typeof text === 'string' && NUMBER_PATTERN.test(text)) query[name] = Number(text);
    }
    for (const name of booleans) {
      const text = query[name];
      if (text === 'true' || text === 'false') query[name] = text === 'true';
    }
    return undefined;
  };
}

const unstorable = problem('invalid-request', {
  detail: 'The address has a NUL or half a character in it.',
  errors: [{ pointer: '', detail: 'must be text without NUL' }],
});

function hasUnstorable(values: Record<string, unknown>): boolean {
  for (const name in values) {
    const value = values[name];
    if (typeof value === 'string' && isUnstorable(value)) return true;
  }
  return false;
}
