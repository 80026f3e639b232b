import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpServer } from '../src/http/index.ts';
import { OTHER_ID, openToyHttp, TOY_ID } from './http-toy.ts';

const TOY = { name: 'Duck', quantity: 2, staleAt: null };
const LIMIT_BYTES = 256 * 1_024;

let server: HttpServer;

beforeAll(async () => {
  server = await openToyHttp();
});

afterAll(() => server.stop());

type Sent = { readonly as?: string; readonly type?: string; readonly headers?: Record<string, string> };

async function post(body: unknown, { as = 'customer', type = 'application/json', headers = {} }: Sent = {}) {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const all = { authorization: `Bearer ${as}`, 'content-type': type, ...headers };
  const response = await server.fastify.inject({ method: 'POST', url: '/api/toys', payload, headers: all });
  return { status: response.statusCode, headers: response.headers, body: response.json() as Record<string, unknown> };
}

async function get(url: string, as?: string) {
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` };
  const response = await server.fastify.inject({ method: 'GET', url, headers });
  return { status: response.statusCode, headers: response.headers, body: response.json() as Record<string, unknown> };
}

describe('given a request that is wrong', () => {
  it('when members are wrong, then every one is named by its pointer', async () => {
    const body = {
      name: '',
      quantity: '2',
      foo: 1,
      price: { amount: 1.5, currency: 'EUR' },
      'a/b~c': 1,
      staleAt: null,
    };
    const { status, headers, body: told } = await post(body);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(told).toMatchObject({ type: '/problems/invalid-request', title: 'Invalid request', status: 400 });
    const pointers = (told.errors as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/name', '/quantity', '/foo', '/a~1b~0c', '/price/amount']));
  });

  it.each([0, -1, 1.5, 1e21, '1', null, true, [1], 2 ** 31, 2 ** 53])(
    'when a quantity is %j, then it is refused and never coerced',
    async (quantity) => {
      const { status, body } = await post({ ...TOY, quantity });
      expect(status).toBe(400);
      expect(body.errors).toEqual([expect.objectContaining({ pointer: '/quantity' })]);
    },
  );

  it.each([
    ['empty', '""'],
    ['blank', '"  "'],
    ['NUL', '"a\\u0000b"'],
    ['half a character', '"\\ud800"'],
    ['control character', '"a\\nb"'],
    ['turned direction', '"a\\u202eb"'],
    ['too long', `"${'x'.repeat(41)}"`],
  ])('when a name is %s, then it is refused', async (_what, name) => {
    const { status, body } = await post(`{"name":${name},"quantity":2,"staleAt":null}`);
    expect(status).toBe(400);
    expect(body.errors).toContainEqual({ pointer: '/name', detail: expect.any(String) });
  });

  it('when a name is in another script or has an emoji, then it is taken as it is', async () => {
    const { status, body } = await post({ ...TOY, name: 'Żytni chleb 🍞' });
    expect(status).toBe(201);
    expect(body.name).toBe('Żytni chleb 🍞');
  });

  it.each([
    '2026-02-30T08:00:00Z',
    '2026-11-21',
    '2026-11-21T08:00:00',
    '2026-11-21 08:00:00Z',
    '0000-00-00T00:00:00Z',
    '99999-01-01T00:00:00Z',
    '1',
  ])('when an instant is %s, then it is refused', async (staleAt) => {
    expect((await post({ ...TOY, staleAt })).status).toBe(400);
  });

  it.each([
    ['malformed', '{"name":'],
    ['two values', '{} {}'],
    ['__proto__', '{"name":"a","quantity":1,"staleAt":null,"__proto__":{"x":1}}'],
    ['constructor.prototype', '{"name":"a","quantity":1,"staleAt":null,"constructor":{"prototype":{"x":1}}}'],
    ['too deep', `{"name":${'['.repeat(50)}${']'.repeat(50)}}`],
    ['too many values', `[${'1,'.repeat(30_000)}1]`],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['nothing', ''],
  ])('when the body is %s, then it is 400 with an error', async (_what, text) => {
    const { status, body } = await post(text);
    expect(status).toBe(400);
    expect(body).toMatchObject({ type: '/problems/invalid-request', errors: [expect.anything()] });
  });

  it('when the body is not UTF-8, then it is 400 and nothing is silently changed', async () => {
    const bytes = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect((await post(bytes)).status).toBe(400);
  });

  it('when the body is larger than 256 kB, then it is 413', async () => {
    const { status, body } = await post(JSON.stringify({ ...TOY, name: 'x'.repeat(LIMIT_BYTES) }));
    expect([status, body.type]).toEqual([413, '/problems/payload-too-large']);
  });

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['multipart/form-data; boundary=x', {}],
    ['application/json-patch+json', {}],
    ['application/json; charset=utf-16', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
    ['', {}],
  ])('when the content type is %s %j, then it is 415', async (type, headers) => {
    const { status, body } = await post(TOY, { type, headers });
    expect([status, body.type]).toEqual([415, '/problems/unsupported-media-type']);
  });

  it.each(['limit=0', 'limit=201', 'limit=1e1', 'limit=', 'limit=%2010', 'limit=1&limit=2', 'foo=1', '__proto__=1'])(
    'when the query is %s, then it is refused',
    async (query) => {
      expect((await get(`/api/toys?${query}`)).status).toBe(400);
    },
  );

  it('when an address has a NUL or is not well-formed, then it is 400', async () => {
    expect((await get('/api/toys/a%00b', 'staff')).status).toBe(400);
    const { status, body } = await get('/api/toys/%zz', 'staff');
    expect([status, body.errors]).toEqual([400, [{ pointer: '', detail: 'The address is not well-formed.' }]]);
  });

  it('when a route wants no body, then nothing and {} are taken, and members are refused', async () => {
    const url = `/api/toys/${TOY_ID}/break`;
    const headers = { authorization: 'Bearer customer' };
    expect((await server.fastify.inject({ method: 'POST', url, headers })).statusCode).toBe(204);
    expect((await server.fastify.inject({ method: 'POST', url, headers, payload: {} })).statusCode).toBe(204);
    expect((await server.fastify.inject({ method: 'POST', url, headers, payload: { a: 1 } })).statusCode).toBe(400);
    const emptyForm = { ...headers, 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
    expect((await server.fastify.inject({ method: 'POST', url, headers: emptyForm })).statusCode).toBe(204);
  });
});

describe('given an address', () => {
  it('when nothing is there, then it is 404', async () => {
    const { status, headers, body } = await get('/api/nothing');
    expect([status, body.type]).toEqual([404, '/problems/not-found']);
    expect(headers['content-type']).toContain('application/problem+json');
  });

  it('when it does not take the method, then it is 405 and says what it takes', async () => {
    const response = await server.fastify.inject({ method: 'DELETE', url: '/api/toys' });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow?.toString().split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
  });

  it('when somebody asks what it takes, then it says so and no page of another origin may use the answer', async () => {
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
    const response = await server.fastify.inject({ method: 'OPTIONS', url: '/api/toys', headers });
    expect([response.statusCode, response.headers.allow]).toEqual([204, 'GET, HEAD, POST']);
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await server.fastify.inject({ method: 'OPTIONS', url: '/api/nothing' })).statusCode).toBe(404);
  });

  it('when it is asked with a method that the framework answers by itself, then it is 405 all the same', async () => {
    const response = await server.fastify.inject({ method: 'QUERY' as 'GET', url: '/api/toys' });
    expect([response.statusCode, response.json().type]).toEqual([405, '/problems/method-not-allowed']);
  });
});

describe('given a refusal or a failure of a handler', () => {
  it('when it refuses with members, then they stand beside the standard ones and replace none', async () => {
    const { status, body } = await post({ ...TOY, name: 'taken' });
    expect(status).toBe(409);
    expect(body).toEqual({
      type: '/problems/toy-taken',
      title: 'Toy taken',
      status: 409,
      detail: 'Somebody has it.',
      holder: OTHER_ID,
    });
  });

  it('when it throws, then the answer tells nothing of it', async () => {
    const headers = { authorization: 'Bearer customer' };
    const response = await server.fastify.inject({ method: 'POST', url: `/api/toys/${OTHER_ID}/break`, headers });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ type: '/problems/internal-error', status: 500 });
    expect(response.body).not.toMatch(/hidden|secret_table|store|42703|Error/);
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f]{10}-/);
  });

  it('when the database is away, then it is 503 with Retry-After', async () => {
    const { status, headers, body } = await post(TOY, { as: 'away' });
    expect([status, headers['retry-after'], body.type]).toEqual([503, '1', '/problems/unavailable']);
  });
});

describe('given who may call a route', () => {
  it('when nobody is signed in, then it is 401 with a challenge, before the body is looked at', async () => {
    const response = await server.fastify.inject({ method: 'POST', url: '/api/toys', payload: { wrong: true } });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="provender"');
    expect(response.json()).toMatchObject({ type: '/problems/unauthenticated' });
  });

  it.each(['gone', 'a b', '', '"'])('when the token is %j, then it is 401, on an open route too', async (token) => {
    expect((await get('/api/toys', token)).status).toBe(401);
  });

  it('when the role does not do, then it is 403; a manager may do what staff may', async () => {
    const url = `/api/toys/${TOY_ID}`;
    expect((await get(url, 'customer')).status).toBe(403);
    expect((await get(url, 'machine')).status).toBe(403);
    expect((await get(url, 'staff')).status).toBe(200);
    expect((await get(url, 'manager')).status).toBe(200);
  });

  it('when the scheme is another one, then an open route ignores it', async () => {
    const headers = { authorization: 'Basic dTpw' };
    expect((await server.fastify.inject({ method: 'GET', url: '/api/toys', headers })).statusCode).toBe(200);
  });

  it('when a route does not say who may call it, then registering it throws', async () => {
    const opening = openToyHttp({
      routes: (app) => void app.fastify.get('/api/open-door', async () => ({})),
    });
    await expect(opening).rejects.toThrow('does not say who may call it');
  });

  it('when asked, then the server lists every route with who may call it', () => {
    expect(server.routes()).toContainEqual({ method: 'POST', url: '/api/toys', access: 'signed-in' });
    expect(server.routes()).toContainEqual({ method: 'GET', url: '/api/toys/:id', access: ['staff'] });
  });
});

describe('given an answer', () => {
  it('when the handler gives more than the schema names, then it does not leak', async () => {
    const { body } = await get('/api/toys?limit=1');
    expect(JSON.stringify(body)).not.toContain('not in the schema');
  });

  it('when it goes out, then it carries the headers that keep browsers from misusing it', async () => {
    const { headers } = await get('/api/toys');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('given a list', () => {
  it('when its pages are read one by one, then each item comes once and the last page has no cursor', async () => {
    const seen: number[] = [];
    let url = '/api/toys?limit=3';
    for (let pages = 0; pages < 3; pages += 1) {
      const { body } = await get(url);
      seen.push(...(body.items as { number: number }[]).map(({ number }) => number));
      url = `/api/toys?limit=3&cursor=${String(body.nextCursor)}`;
      if (pages === 2) expect(body).not.toHaveProperty('nextCursor');
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it.each(['x', 'WzFd', 'WyJhIiwiYiJd', 'bnVsbA', 'WzEsIlx1MDAwMCJd', 'WzFlOTksIngiXQ'])(
    'when the cursor is %s, which is not one of it, then it is refused',
    async (cursor) => {
      const { status, body } = await get(`/api/toys?cursor=${cursor}`);
      expect(status).toBe(400);
      expect(body.errors).toEqual([{ pointer: '/cursor', detail: 'is not a cursor of this list' }]);
    },
  );
});

describe('given a connection', () => {
  it('when it speaks no HTTP, or too large headers, then it gets a problem document and is closed', async () => {
    const running = await openToyHttp();
    const { port } = new URL(await running.listen());
    const broken = await conversation(Number(port), 'NONSENSE\r\n\r\n');
    expect(broken).toMatch(/^HTTP\/1.1 400 .*\/problems\/invalid-request/s);
    const large = `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await conversation(Number(port), large)).toMatch(/^HTTP\/1.1 431 .*\/problems\/headers-too-large/s);
    await running.stop();
  });
});

function conversation(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}
