import type { Role } from '@provender/contracts';
import { createHttpServer, createLogger, createMetrics, type SignedInCaller } from '@provender/platform';
import { type BankTest, openBankTest } from './books.ts';

export type Sent = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
};

export type Asked = {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  /** Who asks; nobody is signed in without. */
  readonly id?: string | undefined;
  readonly roles?: string;
  readonly body?: unknown;
  readonly key?: string;
};

export type ServedBank = { readonly test: BankTest; ask(asked: Asked): Promise<Sent>; close(): Promise<void> };

/** A bank behind the real HTTP server, in which a bearer token is the caller's id and roles. */
export async function serveBank(env: Record<string, string>): Promise<ServedBank> {
  const test = await openBankTest(env);
  const server = await createHttpServer({
    settings: { host: '127.0.0.1', port: 0, rateLimit: false },
    logger: createLogger('silent'),
    clock: test.clock,
    metrics: createMetrics({ process: false }),
    secretKey: Buffer.alloc(32, 7),
    ready: async () => true,
    settled: async () => {},
    verifyToken: async (token) => ({ caller: callerOf(token), expiresAt: Number.POSITIVE_INFINITY }),
  });
  await test.running.open.routes?.(server.app('bank'));
  await server.fastify.ready();

  return {
    test,
    async ask({ method = 'GET', url, id, roles = 'customer', body, key }) {
      const headers: Record<string, string> = {};
      if (id !== undefined) headers.authorization = `Bearer ${id}+${roles}`;
      if (key !== undefined) headers['idempotency-key'] = key;
      if (body !== undefined) headers['content-type'] = 'application/json';
      const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
      const response = await server.fastify.inject({ method, url, headers, ...payload });
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    async close() {
      await server.stop();
      await test.close();
    },
  };
}

function callerOf(token: string): SignedInCaller {
  const [id = '', role] = token.split('+');
  return role === 'machine' ? { kind: 'machine', id } : { kind: 'user', id, roles: [role as Role] };
}
