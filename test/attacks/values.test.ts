import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../support/api.ts';
import { type AttackedTown, openAttackedTown } from '../support/attacked-town.ts';
import { expectEveryPromise } from '../support/test-server.ts';
import {
  type Field,
  type FieldSchema,
  fieldsOf,
  hasPlace,
  isClearing,
  isTaken,
  objectsOf,
  valueAt,
  withValue,
} from './fields.ts';
import { FORM_ROUTES, validRequests, type ValidRequest } from './valid-requests.ts';

type Operation = {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: FieldSchema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: FieldSchema }>> };
};

const NUMBERS: readonly unknown[] = [
  0,
  -1,
  -0,
  1.5,
  1e21,
  1e-7,
  '1',
  null,
  true,
  [1],
  {},
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
];
const SQL = "'; DROP TABLE units; --";
const MEGABYTE = 'x'.repeat(1_000_000);
const TEXTS: readonly unknown[] = [
  '',
  ' ',
  'nul\u0000nul',
  'half \ud800 half',
  'right\u202eleft',
  'two\nlines',
  MEGABYTE,
  'x'.repeat(5_000),
  '🥐',
  '__proto__',
  'constructor',
  SQL,
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF',
  '-infinity',
  '9999-99-99T99:99:99Z',
  'P99999999999D',
  'P999999999D',
  'PT0.001S',
  '9999-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00Z',
  '1970-01-01T00:00:00+23:59',
  'PT0S',
  '24:01',
  0,
  1.5,
  null,
  true,
  ['x'],
  {},
];
/** Names that commerce engines have trusted, and those of our own tables, which are read from the database. */
const NAMES = [
  'role',
  'roles',
  'total',
  'price',
  'balance',
  'status',
  'customerId',
  'isAdmin',
  '__proto__',
  'constructor',
];
/** What no refusal may tell. */
const LEAKS =
  /SELECT |INSERT |UPDATE |relation "|violates|constraint|pg_|node_modules|\.ts:\d|\bat \w+ \(|\/home\/|\/work\//;
const AT_ONCE = 16;

let town: AttackedTown;
let operations: Readonly<Record<string, Operation>>;

beforeAll(async () => {
  town = await openAttackedTown();
  const { body } = await town.call<{ paths: Record<string, Record<string, Operation>> }>(
    'anonymous',
    'GET /openapi.json',
  );
  operations = Object.fromEntries(
    Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
        operation,
      ]),
    ),
  );
});

afterAll(() => town.close());

function schemaOf(name: string): FieldSchema | undefined {
  return operations[name]?.requestBody?.content['application/json']?.schema;
}

async function all<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE) {
    await Promise.all(items.slice(from, from + AT_ONCE).map(work));
  }
}

function send({ as, path }: ValidRequest, name: string, bytes: string): Promise<ApiAnswer> {
  return town.call(as, `${name.split(' ')[0]} ${path}`, { bytes });
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 60);
}

/** What is wrong with an answer to a value that must be refused. */
function faultOfRefusal(answer: ApiAnswer, value: unknown): string | undefined {
  const wanted = value === MEGABYTE ? 413 : 400;
  if (answer.status !== wanted) return `${answer.status} instead of ${wanted}: ${answer.text.slice(0, 200)}`;
  if (LEAKS.test(answer.text)) return `tells too much: ${answer.text}`;
  return undefined;
}

/** What is wrong with an answer to a value that the schema takes: it may be refused, or come back as it was sent. */
function faultOfAnswer(answer: ApiAnswer, field: Field, value: unknown): string | undefined {
  if (answer.status >= 500) return `${answer.status}: ${answer.text.slice(0, 200)}`;
  if (answer.status >= 400) return undefined;
  const returned = valueAt(answer.body, field.path);
  if (isClearing(field, value, returned)) return undefined;
  const isSame = returned === undefined || JSON.stringify(returned) === JSON.stringify(value);
  return isSame ? undefined : `became ${shown(returned)}`;
}

describe('values that nobody should send', () => {
  test('given every route that changes something, when it is looked up, then there is a right request to attack', async () => {
    const writes = town.routes().filter(({ method }) => method !== 'GET');
    expect(
      writes
        .map(({ name }) => name)
        .filter((name) => !FORM_ROUTES.includes(name))
        .sort(),
    ).toEqual(Object.keys(validRequests).sort());
    const undocumented = writes.filter(({ name }) => !FORM_ROUTES.includes(name) && operations[name] === undefined);
    expect(undocumented).toEqual([]);
  });

  test.for(Object.entries(validRequests))('given %s, when it is sent right, then it is done', async ([name, makes]) => {
    for (const make of makes) {
      const request = await make(town);
      const answer = await town.call(request.as, `${name.split(' ')[0]} ${request.path}`, { body: request.body });
      const isParked = name.includes('/parked/');
      expect([answer.status, answer.text]).toEqual([
        isParked ? 404 : expect.toSatisfy((status) => status < 300),
        answer.text,
      ]);
    }
  });

  test.for(Object.entries(validRequests))(
    'given %s, when each value is replaced by each bad one, then it is refused and nothing changes',
    { timeout: 60_000 },
    async ([name, makes]) => {
      const schema = schemaOf(name);
      if (schema === undefined) return;
      const requests = await Promise.all(makes.map(async (make) => make(town)));
      const before = await town.eventsSaid();
      const faults: string[] = [];
      const attacks = requests.flatMap((request) =>
        fieldsOf(schema)
          .filter(({ path }) => hasPlace(request.body, path))
          .flatMap((field) =>
            [...NUMBERS, ...TEXTS]
              .filter((value) => !isTaken(field, value))
              .map((value) => ({ request, field, value })),
          ),
      );
      await all(attacks, async ({ request, field, value }) => {
        const answer = await send(request, name, JSON.stringify(withValue(request.body, field.path, value)));
        const fault = faultOfRefusal(answer, value);
        if (fault !== undefined) faults.push(`${field.path.join('/')} = ${shown(value)}: ${fault}`);
      });
      expect(faults).toEqual([]);
      expect(await town.eventsSaid()).toBe(before);
    },
  );

  test.for(Object.entries(validRequests))(
    'given %s, when values at the edge are sent that it takes, then none breaks it and none comes back changed',
    { timeout: 60_000 },
    async ([name, makes]) => {
      const schema = schemaOf(name);
      if (schema === undefined) return;
      const faults: string[] = [];
      for (const make of makes) {
        const fields = fieldsOf(schema);
        const { body } = await make(town);
        const attacks = fields
          .filter(({ path }) => hasPlace(body, path))
          .flatMap((field) => {
            const edges = [field.schema.minimum, field.schema.maximum];
            const values = [...NUMBERS, ...TEXTS, ...edges].filter((value) => isTaken(field, value));
            return [...new Set(values)].map((value) => ({ field, value }));
          });
        for (const { field, value } of attacks) {
          const request = await make(town);
          const answer = await send(request, name, JSON.stringify(withValue(request.body, field.path, value)));
          const fault = faultOfAnswer(answer, field, value);
          if (fault !== undefined) faults.push(`${field.path.join('/')} = ${shown(value)}: ${fault}`);
        }
      }
      expect(faults).toEqual([]);
    },
  );

  test.for(Object.entries(validRequests))(
    'given %s, when members are sent that are not its own, then it is refused and nothing changes',
    { timeout: 60_000 },
    async ([name, makes]) => {
      const columns = await town.test.sql<{ name: string }>(
        `SELECT DISTINCT column_name AS name FROM information_schema.columns
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
      );
      const camel = (text: string) => text.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
      const names = [...new Set([...NAMES, ...columns.flatMap((row) => [row.name, camel(row.name)])])];
      const schema = schemaOf(name) ?? { properties: {} };
      const [request] = await Promise.all(makes.map(async (make) => make(town)));
      if (request === undefined) throw new Error('No request');
      const places = objectsOf(schema).filter((path) => hasPlace(request.body ?? {}, [...path, 'any']));
      const before = await town.eventsSaid();
      const faults: string[] = [];
      const attacks = places.flatMap((path) => {
        const known = Object.keys(schemaAt(schema, path).properties ?? {});
        const some = path.length === 0 ? names : NAMES;
        return some.filter((member) => !known.includes(member)).map((member) => ({ path, member }));
      });
      await all(attacks, async ({ path, member }) => {
        const marked = JSON.stringify(withValue(request.body ?? {}, [...path, 'PUT HERE'], 1));
        const answer = await send(request, name, marked.replace('"PUT HERE"', JSON.stringify(member)));
        const fault = faultOfRefusal(answer, undefined);
        if (fault !== undefined) faults.push(`${path.join('/')}/${member}: ${fault}`);
      });
      expect(faults).toEqual([]);
      expect(await town.eventsSaid()).toBe(before);
    },
  );

  test('given paths and queries of every route, when bad values stand in them, then they are refused', {
    timeout: 60_000,
  }, async () => {
    const texts = [
      '',
      '%00',
      '%ED%A0%80',
      '%',
      encodeURIComponent(SQL),
      '__proto__',
      '1e21',
      '-1',
      '0',
      '1.5',
      '🥐',
      '../x',
    ];
    const faults: string[] = [];
    const attacks = town.routes().flatMap(({ name, method, url }) => {
      if (!url.startsWith('/api/') || FORM_ROUTES.includes(name)) return [];
      const inPath = url.includes(':')
        ? texts.map((text) => ({ method, path: url.replaceAll(/:\w+/g, encodeURI(decodable(text))) }))
        : [];
      const queries = (operations[name]?.parameters ?? []).filter((parameter) => parameter.in === 'query');
      const inQuery = queries.flatMap((parameter) =>
        texts
          .filter((text) => !isTaken({ path: [], schema: parameter.schema, kinds: ['string'] }, decoded(text)))
          .map((text) => ({ method, path: `${url}?${parameter.name}=${encodeURI(decodable(text))}` })),
      );
      const strange = [`${url}?unknown=1`, `${url}?limit=1&limit=2`, `${url}?__proto__[x]=1`].map((path) => ({
        method,
        path,
      }));
      return [
        ...inPath,
        ...inQuery.filter(({ path }) => !path.includes('/:')),
        ...(method === 'GET' && !url.includes(':') ? strange : []),
      ];
    });
    await all(attacks, async ({ method, path }) => {
      const answer = await town.call('manager', `${method} ${path}`);
      const isRefused = [400, 404, 405, 414].includes(answer.status);
      if (!isRefused || LEAKS.test(answer.text))
        faults.push(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
    });
    expect(faults).toEqual([]);
  });

  test('given all of that, when the promises are checked, then every one holds', async () => {
    await expectEveryPromise(town.test);
  });
});

function schemaAt(schema: FieldSchema, path: readonly (string | number)[]): FieldSchema {
  return path.reduce<FieldSchema>((inner, name) => {
    const own = inner.anyOf?.find(({ type }) => type !== 'null') ?? inner;
    return (typeof name === 'number' ? own.items : own.properties?.[name]) ?? {};
  }, schema);
}

/** As it is written in an address: what is escaped already stays so. */
function decodable(text: string): string {
  return text.startsWith('%') ? text : encodeURIComponent(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
