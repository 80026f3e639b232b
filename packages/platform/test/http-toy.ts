import {
  CLOSED,
  IdParams,
  InstantText,
  Page,
  PageQuery,
  PriceSchema,
  Quantity,
  Text,
  Uuid,
} from '@provender/contracts';
import { type Instant, instant } from '@provender/kernel';
import type { DestinationStream } from 'pino';
import { Type } from 'typebox';
import { manualClock } from '../src/clock.ts';
import {
  answer,
  command,
  createHttpServer,
  type HttpApp,
  type HttpServer,
  page,
  paged,
  problem,
  read,
} from '../src/http/index.ts';
import { createLogger } from '../src/logger.ts';
import { createMetrics } from '../src/telemetry.ts';

/** A server with routes of no context, to see what every route gets from the platform. */

export const TOY_ID = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11';
export const OTHER_ID = '01992f60-5a3c-7c11-9d52-0c2f6f0a7b12';
const NOW: Instant = instant(Date.parse('2026-11-21T08:00:00.000Z'));
const TOYS_MAX = 7;

export const ToyBody = Type.Object(
  {
    name: Text(40),
    quantity: Quantity,
    price: Type.Optional(PriceSchema),
    staleAt: Type.Union([InstantText, Type.Null()]),
  },
  CLOSED,
);

const Toy = Type.Object({ id: Uuid, ...ToyBody.properties }, CLOSED);

const PEOPLE = { customer: TOY_ID, staff: OTHER_ID, manager: '01992f60-5a3c-7c11-9d52-0c2f6f0a7b13' } as const;

export type ToyOptions = {
  readonly rateLimit?: boolean;
  readonly gatewaySecret?: string;
  readonly trustedProxies?: readonly string[];
  readonly ready?: () => Promise<boolean>;
  readonly log?: DestinationStream;
  readonly logLevel?: string;
  readonly routes?: (app: HttpApp) => void;
  readonly settled?: () => Promise<void>;
};

export async function openToyHttp(options: ToyOptions = {}): Promise<HttpServer> {
  const server = await createHttpServer({
    settings: {
      host: '127.0.0.1',
      port: 0,
      rateLimit: options.rateLimit ?? false,
      ...(options.gatewaySecret === undefined ? {} : { gatewaySecret: options.gatewaySecret }),
      ...(options.trustedProxies === undefined ? {} : { trustedProxies: options.trustedProxies }),
    },
    logger: createLogger(options.logLevel ?? 'silent', options.log),
    clock: manualClock(NOW),
    verifyToken,
    metrics: createMetrics({ process: false }),
    secretKey: Buffer.alloc(32, 7),
    ready: options.ready ?? (async () => true),
    settled: options.settled ?? (async () => {}),
  });
  (options.routes ?? toyRoutes)(server.app('orders'));
  await server.fastify.ready();
  return server;
}

/** A token is the name of its role; with `away` the database is not there; any other is not one of ours. */
async function verifyToken(token: string) {
  const expiresAt = Date.now() + 60_000;
  if (token === 'away') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  if (token === 'machine') return { caller: { kind: 'machine', id: OTHER_ID }, expiresAt } as const;
  if (token !== 'customer' && token !== 'staff' && token !== 'manager') return undefined;
  return { caller: { kind: 'user', id: PEOPLE[token], roles: [token] }, expiresAt } as const;
}

function toyRoutes(app: HttpApp): void {
  read(app, {
    method: 'GET',
    url: '/api/toys',
    access: 'anyone',
    summary: 'All toys',
    schema: {
      querystring: PageQuery,
      response: Page(Type.Object({ at: InstantText, number: Type.Integer() }, CLOSED)),
    },
    async handle({ query }) {
      const paging = paged(query, ['integer', 'text']);
      if (!paging.ok) return paging.refusal;
      const { limit, after } = paging.value;
      const rows = Array.from({ length: TOYS_MAX }, (_, index) => TOYS_MAX - index)
        .filter((number) => after === undefined || number < after[0])
        .slice(0, limit + 1);
      const at = '2026-11-21T08:00:00.000Z';
      return page(
        rows,
        limit,
        (number) => ({ at, number, secret: 'not in the schema' }),
        (number) => [number, 'x'],
      );
    },
  });
  read(app, {
    method: 'GET',
    url: '/api/toys/:id',
    access: ['staff'],
    summary: 'One toy',
    schema: { params: IdParams, response: Toy },
    async handle({ params }) {
      if (params.id !== TOY_ID) return problem('not-found', { detail: 'There is no such toy.' });
      return { id: params.id, name: 'Duck', quantity: 1, price: undefined, staleAt: null };
    },
  });
  command(app, {
    method: 'POST',
    url: '/api/toys',
    access: 'signed-in',
    summary: 'A new toy',
    schema: { body: ToyBody, response: { 201: Toy } },
    problems: { 'toy-taken': 409 },
    async handle({ body }) {
      if (body.name === 'taken')
        return problem('toy-taken', { detail: 'Somebody has it.', holder: OTHER_ID, status: 200 });
      return answer(201, { id: TOY_ID, ...body }, { location: `/api/toys/${TOY_ID}` });
    },
  });
  command(app, {
    method: 'POST',
    url: '/api/toys/:id/break',
    access: ['customer', 'staff'],
    summary: 'Breaks in the way that the name says',
    schema: {
      params: IdParams,
      querystring: Type.Object({ how: Type.Optional(Type.String()) }),
      response: { 204: Type.Null() },
    },
    async handle({ params }) {
      if (params.id === TOY_ID) return answer(204);
      throw Object.assign(new Error('column "hidden" of relation "secret_table" at /srv/store.ts'), { code: '42703' });
    },
  });
}
