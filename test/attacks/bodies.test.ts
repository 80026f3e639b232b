import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiCall } from '../support/api.ts';
import { type AttackedTown, openAttackedTown } from '../support/attacked-town.ts';
import { expectEveryPromise } from '../support/test-server.ts';
import { FORM_ROUTES, validRequests } from './valid-requests.ts';

let town: AttackedTown;

beforeAll(async () => {
  town = await openAttackedTown();
});

afterAll(() => town.close());

const KEYS = 1_000_000;
const DEPTH = 100_000;

/** Sends bytes to every route that takes a body, and gives each route's status where it is not as wanted. */
async function sendToAll(options: ApiCall, wanted: readonly number[]): Promise<string[]> {
  const before = await town.eventsSaid();
  const unwanted: string[] = [];
  for (const [name, makes] of Object.entries(validRequests)) {
    const [make] = makes;
    const { as, path, body } = (await make?.(town)) ?? { as: 'anonymous' as const, path: '/' };
    if (body === undefined) continue;
    const answer = await town.call(as, `${name.split(' ')[0]} ${path}`, options);
    const isProblem = (answer.headers['content-type'] ?? '').includes('application/problem+json');
    if (!wanted.includes(answer.status) || !isProblem)
      unwanted.push(`${name}: ${answer.status} ${answer.text.slice(0, 100)}`);
  }
  // Making the right requests that the bad bodies stand in for has said a few things; the bodies themselves none.
  const after = await town.eventsSaid();
  expect(after - before).toBeLessThan(100);
  return unwanted;
}

describe('bodies that nobody should send', () => {
  test.for([
    ['more than 256 kB', `{"name":"${'x'.repeat(300_000)}"}`, [413]],
    ['a million members', `{${Array.from({ length: KEYS }, (_item, index) => `"${index}":1`).join(',')}}`, [413]],
    [
      'twenty thousand members',
      `{${Array.from({ length: 20_001 }, (_item, index) => `"${index}":1`).join(',')}}`,
      [400],
    ],
    ['a thousand faults', `{${Array.from({ length: 1_000 }, (_item, index) => `"f${index}":1`).join(',')}}`, [400]],
    ['too deep an array', '['.repeat(DEPTH) + ']'.repeat(DEPTH), [400]],
    ['too deep an object', '{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000), [400, 413]],
    ['half a document', '{"name":', [400]],
    ['no document', 'name=x', [400]],
    ['two documents', '{}{}', [400]],
    ['a number', '1', [400]],
    ['an array', '[]', [400]],
    ['null', 'null', [400]],
    ['nothing', '', [400]],
    ['no UTF-8', Buffer.from('7b226e616d65223a22ff227d', 'hex'), [400]],
    ['a byte order mark in UTF-16', Buffer.from('fffe7b007d00', 'hex'), [400]],
    ['a name twice', '{"quantity":1,"quantity":1000000}', [400]],
    ['NaN', '{"quantity":NaN}', [400]],
    ['a prototype', '{"__proto__":{"roles":["manager"]}}', [400]],
    ['a constructor', '{"constructor":{"prototype":{"roles":["manager"]}}}', [400]],
    ['a very long number', `{"quantity":${'9'.repeat(100_000)}}`, [400]],
  ] as const)(
    'given %s as the body, when it is sent to every route, then each refuses it',
    { timeout: 60_000 },
    async ([, bytes, wanted]) => {
      expect(await sendToAll({ bytes }, wanted)).toEqual([]);
    },
  );

  test.for([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/xml', 415],
    ['application/json; charset=utf-16', 415],
    ['text/json', 415],
    ['application/jsonp', 415],
    ['application/json-patch+json', 415],
    ['application/json, text/plain', 415],
    ['', 415],
    ['x', 415],
  ] as const)('given the content type "%s", when JSON is sent as it, then nobody reads it', async ([type, wanted]) => {
    const options = { bytes: '{}', headers: { 'content-type': type } };
    expect(await sendToAll(options, [wanted])).toEqual([]);
  });

  test('given a compressed body, also a bomb, when it is sent, then nobody unpacks it', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      const options = { bytes: bomb, headers: { 'content-encoding': encoding } };
      expect(await sendToAll(options, [415])).toEqual([]);
    }
  });

  test('given a GET or DELETE with a body, when it is sent, then it is refused or left aside, never 500', async () => {
    for (const { method, url, name } of town.routes()) {
      if (!['GET', 'DELETE'].includes(method) || url.includes(':') || FORM_ROUTES.includes(name)) continue;
      const { status } = await town.call('manager', `${method} ${url}`, { body: { role: 'manager' } });
      expect([name, status < 500]).toEqual([name, true]);
    }
  });

  test('given a hundred senders that never finish, when somebody else asks, then she is answered at once', async () => {
    const { hostname, port } = new URL(town.test.api.url);
    const head =
      'POST /api/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"em';
    const sockets = await Promise.all(Array.from({ length: 100 }, () => halfSent(hostname, Number(port), head)));
    const began = performance.now();
    const answer = await town.call('customer', 'GET /api/bank/accounts/me');
    expect(answer.status).toBe(200);
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
  });

  test('given headers that are no HTTP, or too large, when they are sent, then the socket gets a problem and is closed', async () => {
    const { hostname, port } = new URL(town.test.api.url);
    const garbage = [
      ['GARBAGE\r\n\r\n', '400'],
      ['GET /api/sites HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', '400'],
      [`GET /api/sites HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
      ['POST /api/users HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', '400'],
    ] as const;
    for (const [text, status] of garbage) {
      expect((await answerOf(hostname, Number(port), text)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    }
  });

  test('given idempotency keys of odd kinds, when they are sent, then they are refused or one key, never 500', async () => {
    const body = { amount: { amount: 1, currency: 'EUR' } };
    for (const [key, wanted] of [
      ['', [201, 400]],
      ['x'.repeat(256), [400]],
      ['x'.repeat(255), [201]],
      ['a, b', [201]],
      ["'; DROP TABLE users; --", [201]],
      ['é', [201, 400]],
    ] as const) {
      const { status } = await town.call('manager', 'POST /api/bank/deposits', {
        body,
        headers: { 'idempotency-key': key },
      });
      expect([key, wanted]).toEqual([key, expect.arrayContaining([status])]);
    }
  });

  test('given all of that, when the promises are checked, then every one holds', async () => {
    await expectEveryPromise(town.test);
  });
});

function halfSent(host: string, port: number, text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(text, () => resolve(socket)));
    socket.on('error', reject);
  });
}

function answerOf(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, host, () => socket.write(text));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}
