import { ACCESS_TOKEN_AUDIENCE } from '@provender/contracts';
import { createHttpServer, createLogger, createMetrics, createTokenVerifier } from '@provender/platform';
import { openTestContext, type TestContext } from '@provender/platform/testing';
import { identity, type OpenIdentity } from '../src/index.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
};

export type Tokens = { readonly access_token: string; readonly refresh_token: string };

export type RequestOptions = {
  readonly token?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A member of an answer that must be text. */
export function textOf({ body }: Reply, member: string): string {
  const value = body[member];
  if (typeof value !== 'string') throw new Error(`The answer has no text ${member}: ${JSON.stringify(body)}`);
  return value;
}

type Method = 'GET' | 'POST' | 'PUT';

/** The identity context behind the real HTTP server, in a database of its own, with the three people of the demo. */
export type IdentityServer = {
  readonly context: TestContext<OpenIdentity>;
  readonly people: Readonly<Record<string, { readonly id: string }>>;
  request(method: Method, url: string, options?: RequestOptions): Promise<Reply>;
  form(url: string, form: Readonly<Record<string, string>> | string, headers?: object): Promise<Reply>;
  signIn(username: string, password?: string): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Reply>;
  close(): Promise<void>;
};

const PEOPLE = [
  { email: 'manager@example.com', name: 'Ada', roles: ['manager'] },
  { email: 'staff@example.com', name: 'Sam', roles: ['staff'] },
  { email: 'customer@example.com', name: 'Cleo', roles: ['customer'] },
] as const;

const ISSUER = 'http://127.0.0.1:3000';

export async function openIdentityServer(): Promise<IdentityServer> {
  const context = await openTestContext(identity);
  const { open } = context.running;
  const http = await createHttpServer({
    settings: { host: '127.0.0.1', port: 0, rateLimit: false },
    logger: createLogger('silent'),
    clock: context.clock,
    metrics: createMetrics({ process: false }),
    secretKey: Buffer.alloc(32, 7),
    ready: async () => true,
    settled: async () => {},
    verifyToken: createTokenVerifier({ jwks: open.jwks, issuer: () => ISSUER, audience: ACCESS_TOKEN_AUDIENCE }),
  });
  await open.routes?.(http.app('identity'));
  await http.fastify.ready();
  const people = await open.addPeople(PEOPLE, 'test');

  async function inject(method: Method, url: string, headers: object, payload?: string): Promise<Reply> {
    const sent = { method, url, headers: { ...headers }, ...(payload === undefined ? {} : { payload }) };
    const { statusCode, headers: answered, body } = await http.fastify.inject(sent);
    return { status: statusCode, headers: answered, body: body === '' ? {} : JSON.parse(body) };
  }

  function request(method: Method, url: string, { token, body, headers }: RequestOptions = {}): Promise<Reply> {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    return inject(
      method,
      url,
      { ...bearer, ...json, ...headers },
      body === undefined ? undefined : JSON.stringify(body),
    );
  }

  function form(url: string, fields: Readonly<Record<string, string>> | string, headers: object = {}): Promise<Reply> {
    const payload = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
    return inject('POST', url, { 'content-type': 'application/x-www-form-urlencoded', ...headers }, payload);
  }

  return {
    context,
    people: Object.fromEntries(people.map((person) => [person.email, person])),
    request,
    form,
    async signIn(username, password = 'test') {
      const answer = await form('/api/oauth/token', { grant_type: 'password', username, password });
      if (answer.status !== 200) throw new Error(`${username} could not sign in: ${JSON.stringify(answer.body)}`);
      return { access_token: textOf(answer, 'access_token'), refresh_token: textOf(answer, 'refresh_token') };
    },
    refresh: (refreshToken) => form('/api/oauth/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
    async close() {
      await http.stop();
      await context.close();
    },
  };
}
