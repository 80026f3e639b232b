import type { TSchema } from 'typebox';

type Schema = { readonly [keyword: string]: unknown; readonly type?: unknown; readonly anyOf?: readonly Schema[] };

const PLAIN_TYPES: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];

/**
 * `anyOf` of a plain type and null, everywhere in an answer's schema, as one type that may be null. The serialiser
 * validates a value against each part of an `anyOf` at run time; a list of types it just looks at.
 */
export function withPlainNullables(schema: TSchema): TSchema {
  // What comes out describes the same values as what went in.
  return rewritten(schema as unknown as Schema) as unknown as TSchema;
}

function rewritten(schema: Schema): Schema {
  const plain = schema.anyOf === undefined ? undefined : nullablePlain(schema, schema.anyOf);
  if (plain !== undefined) return plain;
  return Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, rewrittenPart(value)]));
}

function rewrittenPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrittenPart);
  return typeof value === 'object' && value !== null ? rewritten(value as Schema) : value;
}

function nullablePlain({ anyOf: _parts, ...rest }: Schema, parts: readonly Schema[]): Schema | undefined {
  const [value, ...others] = parts.filter(({ type }) => type !== 'null');
  if (parts.length !== 2 || value === undefined || others.length > 0) return undefined;
  if (!PLAIN_TYPES.includes(value.type) || value.enum !== undefined) return undefined;
  return { ...value, ...rest, type: [value.type, 'null'] };
}
