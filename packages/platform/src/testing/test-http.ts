import { randomBytes } from 'node:crypto';
import type { Role } from '@provender/contracts';
import type { SignedInCaller } from '../http/access.ts';
import { createHttpServer } from '../http/server.ts';
import { createLogger } from '../logger.ts';
import type { OpenContext } from '../module.ts';
import { createMetrics } from '../telemetry.ts';
import type { TestContext } from './test-context.ts';

/** One person of each role; the token of each is the role's name. */
export const TEST_USERS = {
  customer: '01900000-0000-7000-8000-0000000000c1',
  staff: '01900000-0000-7000-8000-0000000000c2',
  manager: '01900000-0000-7000-8000-0000000000c3',
} as const satisfies Partial<Record<Role, string>>;

export type TestRole = keyof typeof TEST_USERS;

export type TestAnswer<Body> = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** As parsed; an empty body is undefined. */
  readonly body: Body;
};

export type TestCall = {
  /** Nobody is signed in where it is left out. */
  readonly as?: TestRole;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type TestHttp = {
  /** Takes `GET /api/menu?siteId=…`. What the body is, the test says: its expectations check it. */
  call<Body = Record<string, unknown>>(line: string, options?: TestCall): Promise<TestAnswer<Body>>;
  close(): Promise<void>;
};

const TOKENS_HOLD_MILLISECONDS = 3_600_000;

/** The routes of one context behind the real HTTP server, without a socket. Nobody waits for other contexts. */
export async function openTestHttp(test: TestContext<OpenContext>): Promise<TestHttp> {
  const { running, clock } = test;
  const server = await createHttpServer({
    settings: { host: '127.0.0.1', port: 0, rateLimit: false },
    logger: createLogger('silent'),
    clock,
    verifyToken: async (token) => {
      const id = (TEST_USERS as Record<string, string>)[token];
      if (id === undefined) return undefined;
      const caller: SignedInCaller = { kind: 'user', id, roles: [token as TestRole] };
      return { caller, expiresAt: Date.now() + TOKENS_HOLD_MILLISECONDS };
    },
    metrics: createMetrics({ process: false }),
    secretKey: randomBytes(32),
    ready: async () => true,
    settled: async () => {},
  });

  await running.open.routes?.(server.app(running.context));
  await server.fastify.ready();

  return {
    async call<Body>(line: string, { as, body, headers }: TestCall = {}) {
      const [method, url] = line.split(' ') as ['GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string];
      const answer = await server.fastify.inject({
        method,
        url,
        headers: { ...(as === undefined ? {} : { authorization: `Bearer ${as}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const parsed: unknown = answer.body === '' ? undefined : JSON.parse(answer.body);
      return { status: answer.statusCode, headers: answer.headers, body: parsed as Body };
    },
    close: () => server.stop(),
  };
}
