/** The parts of a JSON schema that an example is made from. */
type Schema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
};

const BY_FORMAT: Readonly<Record<string, string>> = {
  uuid: '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11',
  'date-time': '2026-11-21T08:30:00.000Z',
  date: '2026-11-21',
  email: 'customer@example.com',
  'text-line': 'Rye bread',
  'text-block': 'Not sliced, please.',
  'time-zone': 'Europe/Berlin',
  'time-of-day': '07:00',
  'http-url': 'https://example.com/',
};

/** By the name of a member, where its schema is only a pattern. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  amount: 350,
  currency: 'EUR',
  sku: 'RYE-1000',
  every: 'PT30M',
  shelfLife: 'PT25M',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  quantity: 2,
  email: 'customer@example.com',
  password: 'a long pass phrase',
};

/** `least`: only what must be there, as a first request would be; everything where nothing must. */
type Extent = 'all' | 'least';

/** A value that fits a schema, for the documentation: its own example where it has one. */
export function exampleOf(schema: unknown, extent: Extent = 'all', name = ''): unknown {
  const known = schema as Schema;
  if (known.examples?.[0] !== undefined) return known.examples[0];
  if (known.const !== undefined) return known.const;
  if (known.enum?.[0] !== undefined) return known.enum[0];
  if (known.anyOf?.[0] !== undefined) return exampleOf(known.anyOf[0], extent, name);
  if (known.properties !== undefined) return objectExample(known.properties, known.required ?? [], extent);
  if (known.items !== undefined) return [exampleOf(known.items, extent, name)];
  return plainExample(known, name);
}

function objectExample(members: Readonly<Record<string, Schema>>, required: readonly string[], extent: Extent): object {
  const all = Object.entries(members);
  const shown = extent === 'least' && required.length > 0 ? all.filter(([name]) => required.includes(name)) : all;
  return Object.fromEntries(shown.map(([name, schema]) => [name, exampleOf(schema, extent, name)]));
}

function plainExample({ type, format, minimum, default: standard }: Schema, name: string): unknown {
  if (name in BY_NAME) return BY_NAME[name];
  if (standard !== undefined) return standard;
  switch (type) {
    case 'integer':
    case 'number':
      return Math.max(minimum ?? 1, 1);
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return BY_FORMAT[format ?? ''] ?? 'text';
  }
}
