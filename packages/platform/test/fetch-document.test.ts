import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backOff, fetchDocument, openStandInSource, type SourceRequest, type StandInSource } from '../src/index.ts';

const DOCUMENT = { warehouses: [{ id: 'w1' }] };

let source: StandInSource;
beforeAll(async () => {
  source = await openStandInSource({ '/it': DOCUMENT });
});
afterAll(() => source.close());

function ask(request: Partial<SourceRequest> = {}) {
  return fetchDocument({ url: source.url('/it'), timeoutMilliseconds: 20_000, bodyBytesMax: 1_000, ...request });
}

async function faultKind(request: Partial<SourceRequest> = {}) {
  const answer = await ask(request);
  return answer.kind === 'fault' ? answer.fault.kind : answer.kind;
}

describe('fetchDocument', () => {
  test('given a source that is well, when it is asked twice, then the second time it says that nothing has changed', async () => {
    source.behave('/it', { kind: 'well' });
    const first = await ask();
    expect(first).toMatchObject({ kind: 'document', document: DOCUMENT });
    const validators = first.kind === 'document' ? first.validators : {};
    expect(await ask({ validators })).toEqual({ kind: 'not-modified' });
    source.put('/it', { ...DOCUMENT, more: true });
    expect(await ask({ validators })).toMatchObject({ kind: 'document', document: { more: true } });
    source.put('/it', DOCUMENT);
  });

  test.for([
    ['that nobody serves', { kind: 'status', status: 404 }, 'refused'],
    ['that has moved', { kind: 'status', status: 301 }, 'refused'],
    ['that has nothing', { kind: 'status', status: 204 }, 'refused'],
    ['that breaks off', { kind: 'breaks-off' }, 'unreachable'],
    ['that is empty', { kind: 'says', text: '' }, 'not-json'],
    ['that is half', { kind: 'says', text: '{"warehouses":[' }, 'not-json'],
    ['that is too much', { kind: 'says', text: `"${'x'.repeat(1_000)}"` }, 'too-large'],
  ] as const)('given a document %s, when it is asked for, then that is said', async ([, behaviour, kind]) => {
    source.behave('/it', behaviour);
    expect(await faultKind()).toBe(kind);
  });

  test('given a source that is silent, when the time is up, then nobody waits longer', async () => {
    source.behave('/it', { kind: 'silent' });
    expect(await faultKind({ timeoutMilliseconds: 50 })).toBe('timed-out');
  });

  test('given a process that stops, when a question is under way, then it is given up', async () => {
    source.behave('/it', { kind: 'silent' });
    const stopping = new AbortController();
    const asked = faultKind({ signal: stopping.signal });
    stopping.abort();
    expect(await asked).toBe('unreachable');
  });

  test('given nobody at the address, when it is asked, then that is a fault and nothing is thrown', async () => {
    expect(await faultKind({ url: 'http://127.0.0.1:9/' })).toBe('unreachable');
  });

  test('given a small packed answer that is large, and an address with a password, then both are met', async () => {
    const seen: (string | undefined)[] = [];
    const server: Server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(`"${'x'.repeat(10_000_000)}"`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await faultKind({ url: `http://shop:p%40ss@127.0.0.1:${port}/` })).toBe('too-large');
    expect(seen).toEqual([`Basic ${Buffer.from('shop:p@ss').toString('base64')}`]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('backOff', () => {
  test('given more and more failures, then the pause doubles, a little apart each time, up to the longest', () => {
    for (const [failures, pause] of [
      [1, 10],
      [2, 20],
      [5, 160],
      [6, 300],
      [1_000, 300],
    ] as const) {
      const actual = backOff(failures, 10, 300);
      expect(actual).toBeLessThanOrEqual(pause);
      expect(actual).toBeGreaterThanOrEqual(pause * 0.8 - 1);
    }
  });
});
