/** The parts of a JSON schema that say which values are right. */
export type FieldSchema = {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
};

export type FieldPath = readonly (string | number)[];
export type Field = { readonly path: FieldPath; readonly schema: FieldSchema; readonly kinds: readonly string[] };

/** Every plain value that a body may have, optional ones too, by its place. Of an array, the first item's. */
export function fieldsOf(schema: FieldSchema, path: FieldPath = []): Field[] {
  const parts = schema.anyOf ?? [schema];
  const own = parts.find(({ type }) => type !== 'null') ?? schema;
  if (own.properties !== undefined) {
    return Object.entries(own.properties).flatMap(([name, member]) => fieldsOf(member, [...path, name]));
  }
  if (own.items !== undefined) return fieldsOf(own.items, [...path, 0]);
  const kinds = parts.flatMap(({ type }) => [type ?? []].flat());
  return [{ path, schema: own, kinds }];
}

/** Every object of a body, the body itself too. */
export function objectsOf(schema: FieldSchema, path: FieldPath = []): FieldPath[] {
  const own = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  if (own.items !== undefined) return objectsOf(own.items, [...path, 0]);
  if (own.properties === undefined) return [];
  const inner = Object.entries(own.properties).flatMap(([name, member]) => objectsOf(member, [...path, name]));
  return [path, ...inner];
}

/** True where a value has that place: its parents are there. */
export function hasPlace(value: unknown, path: FieldPath): boolean {
  return path.length <= 1 ? isContainer(value) : hasPlace(memberOf(value, path[0]), path.slice(1));
}

/** A copy with one value put at a place. */
export function withValue(value: unknown, path: FieldPath, put: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return put;
  const inner = withValue(memberOf(value, first), rest, put);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === first ? inner : item));
  return { ...(value as object), [first]: inner };
}

/** What is not named may be cleared with null, and is then as if it had never been said. */
export function isClearing({ kinds }: Field, value: unknown, returned: unknown): boolean {
  return value === null && kinds.includes('null') && (returned === undefined || returned === false);
}

export function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((inner, name) => memberOf(inner, name), value);
}

function memberOf(value: unknown, name: string | number | undefined): unknown {
  return isContainer(value) && name !== undefined ? (value as Record<string | number, unknown>)[name] : undefined;
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Whether the schema takes this value as it stands, as far as type and bounds go: what it takes may come back. */
export function isTaken({ schema, kinds }: Field, value: unknown): boolean {
  if (value === null) return kinds.includes('null');
  if (typeof value === 'boolean') return kinds.includes('boolean');
  if (typeof value === 'number') {
    const isNumber = kinds.includes('integer') ? Number.isInteger(value) : kinds.includes('number');
    return isNumber && value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  }
  return typeof value === 'string' && kinds.includes('string') && isTextTaken(schema, value);
}

function isTextTaken({ enum: values, format, pattern, minLength = 0, maxLength }: FieldSchema, text: string): boolean {
  if (values !== undefined) return values.includes(text);
  const length = Array.from(text).length;
  if (length < minLength || (maxLength !== undefined && length > maxLength)) return false;
  if (pattern !== undefined) return new RegExp(pattern, 'u').test(text);
  if (format === 'text-line' || format === 'text-block') return isPlainText(text, format === 'text-block');
  if (format === 'date-time') return DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));
  return format === undefined || (format === 'uuid' && UUID.test(text));
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

function isPlainText(text: string, mayHaveLines: boolean): boolean {
  const looked = mayHaveLines ? text.replaceAll('\n', '') : text;
  return text.isWellFormed() && !CONTROL.test(looked) && text.trim() !== '';
}
