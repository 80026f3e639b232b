import type { SwaggerTransform, SwaggerTransformObject } from '@fastify/swagger';
import type { TSchema } from 'typebox';
import type { Access } from './access.ts';
import { exampleOf } from './example.ts';
import { type CommonProblem, commonProblems, type Problems, problemTitle } from './problem.ts';
import { isNoBody } from './routes.ts';

/** The frame of the OpenAPI document; the routes fill it. */
export const openApiFrame = {
  openapi: '3.1.0',
  info: {
    title: 'Provender',
    version: '1.0.0',
    description: 'Bake it, stock it, sell it, vend it: every item counted once.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  components: {
    securitySchemes: {
      accessToken: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token from POST /api/oauth/token',
      },
    },
  },
} as const;

/** Problem documents (RFC 9457). */
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', description: '/problems/<kind>', examples: ['/problems/not-found'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      description: 'With /problems/invalid-request: every fault, by JSON pointer',
      items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
    },
  },
} as const;

type RouteSchema = {
  readonly hide?: boolean;
  readonly operationId?: string;
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly body?: TSchema;
  readonly response?: Readonly<Record<string, TSchema>>;
};

/** Adds to each route's schema what all routes have: an operation id, who may call it, its problems, examples. */
export const describeRoute: SwaggerTransform = ({ schema: given, url, route }) => {
  const schema = (given ?? {}) as RouteSchema;
  if (schema.hide === true || url.startsWith('/docs')) return { schema: { ...schema, hide: true }, url };
  const { access = 'signed-in', problems, readsCaller } = route.config ?? {};
  const method = [route.method].flat()[0] ?? 'GET';
  const shared = { operationId: schema.operationId ?? operationId(method, url), 'x-access': access };
  // What RFC 6749 and 7009 say about a route, and who proves himself there, its own schema tells.
  if (readsCaller !== true) return { schema: { ...schema, ...shared, security: [] }, url };
  const { body, querystring, params, ...rest } = schema;
  const described = {
    ...rest,
    ...(hasMembers(params) ? { params } : {}),
    ...(hasMembers(querystring) ? { querystring } : {}),
    ...(body === undefined || isNoBody(body) ? {} : { body: withExample(body, 'least') }),
    ...(method === 'GET' ? {} : { headers: schema.response?.['202'] === undefined ? KEY_HEADER : ASYNC_HEADERS }),
    ...shared,
    security: access === 'anyone' ? [{}, { accessToken: [] }] : [{ accessToken: [] }],
    'x-problems': kindsOf(method, schema, access, problems),
    response: answers(schema.response ?? {}),
  };
  return { schema: described, url };
};

const KEY_HEADER = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Makes the request safe to repeat for a day: a repeat gets the first answer.',
    },
  },
} as const;

const ASYNC_HEADERS = {
  ...KEY_HEADER,
  properties: {
    ...KEY_HEADER.properties,
    prefer: {
      type: 'string',
      description: '`respond-async`: answer 202 at once, with the address of the outcome (RFC 7240).',
    },
  },
} as const;

function hasMembers(schema: TSchema | undefined): boolean {
  const members = (schema as { readonly properties?: object } | undefined)?.properties ?? {};
  return Object.keys(members).length > 0;
}

function withExample(schema: TSchema, extent: 'all' | 'least' = 'all'): object {
  return { ...schema, examples: [exampleOf(schema, extent)] };
}

function answers(response: Readonly<Record<string, TSchema>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]) => {
      const description = ANSWER_WORDS[status] ?? 'Done';
      return [status, status === '204' ? { type: 'null', description } : { ...withExample(schema), description }];
    }),
  );
}

const ANSWER_WORDS: Readonly<Record<string, string>> = { 200: 'Done', 201: 'Made', 202: 'Accepted, not yet decided' };

/** Every kind of refusal that the route may answer with, each with its status. */
function kindsOf(method: string, schema: RouteSchema, access: Access, own: Problems = {}): Problems {
  const kinds: CommonProblem[] = ['invalid-request', 'too-many-requests', 'unavailable', 'internal-error'];
  if (access !== 'anyone') kinds.push('unauthenticated');
  if (Array.isArray(access)) kinds.push('forbidden');
  if (hasMembers(schema.params)) kinds.push('not-found');
  if (method !== 'GET') {
    kinds.push('request-in-progress', 'payload-too-large', 'unsupported-media-type', 'idempotency-key-reused');
  }
  return { ...Object.fromEntries(kinds.map((kind) => [kind, commonProblems[kind]])), ...own };
}

type Operation = { 'x-problems'?: Problems; responses?: Record<string, object> };

/** Adds to each operation of the finished document the problems that its route lists, and their one schema. */
export const completeDocument: SwaggerTransformObject = (documents) => {
  if (!('openapiObject' in documents)) return documents.swaggerObject;
  const document = documents.openapiObject;
  const schemas = { ...document.components?.schemas, Problem: problemSchema };
  const paths = Object.values(document.paths ?? {}) as Record<string, Operation>[];
  for (const operation of paths.flatMap((path) => Object.values(path))) {
    const kinds = operation['x-problems'];
    if (kinds !== undefined) operation.responses = { ...operation.responses, ...problemAnswers(kinds) };
  }
  // The document's types are of OpenAPI 3.1 or 3.0 alike; a JSON schema with `examples` is right in 3.1.
  return { ...document, components: { ...document.components, schemas } } as unknown as typeof document;
};

function problemAnswers(kinds: Problems): Record<string, object> {
  const byStatus = Map.groupBy(Object.entries(kinds), ([, status]) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, entries]) => {
      const names = entries.map(([kind]) => kind);
      const examples = Object.fromEntries(names.map((kind) => [kind, { value: problemExample(kind, status) }]));
      const schema = { $ref: '#/components/schemas/Problem' };
      return [status, { description: names.join(', '), content: { 'application/problem+json': { schema, examples } } }];
    }),
  );
}

function problemExample(kind: string, status: number): object {
  return { type: `/problems/${kind}`, title: problemTitle(kind), status, detail: problemTitle(kind) };
}

/** `POST /api/orders/{id}/cancel` → `postOrdersByIdCancel`. */
function operationId(method: string, url: string): string {
  const words = url
    .replace(/^\/api\//, '')
    .split('/')
    .filter((part) => part !== '');
  const name = words.map((word) => (word.startsWith(':') ? `By-${word.slice(1)}` : word)).join('-');
  const camel = name.replace(/(^|-)+([A-Za-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
  return method.toLowerCase() + camel.replace(/[^A-Za-z0-9]/g, '');
}
