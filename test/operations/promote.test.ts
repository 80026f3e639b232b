import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url));
const PASSWORD = 'a pass phrase for tests';
const PERSON = { email: 'Owner@test.example', name: 'Olga Owner', password: PASSWORD };

let shop: TestServer;

beforeAll(async () => {
  shop = await startTestServer();
});

afterAll(() => shop.close());

async function promote(...args: string[]): Promise<{ code: number; said: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: shop.database.url, LOG_LEVEL: 'error' };
  const child = spawn(process.execPath, [MAIN, 'promote', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = await once(child, 'close');
  return { code: Number(code), said };
}

describe('the first manager of a new installation', () => {
  test('given somebody who has registered, when made a manager beside the running system, then they may manage', async () => {
    const registered = await shop.api.call<{ id: string }>('POST /api/users', { body: PERSON });
    expect(registered.status).toBe(201);
    expect(await promote('owner@test.example')).toMatchObject({
      code: 0,
      said: 'Owner@test.example: customer, manager\n',
    });
    const token = await shop.api.signIn(PERSON.email, PASSWORD);
    const users = await shop.api.call('GET /api/users', { token });
    expect(users.status).toBe(200);
    expect((await promote('owner@test.example')).code).toBe(0);
    await shop.expectPromises();
  });

  test('given an address that nobody registered, or none, when the command runs, then it says so', async () => {
    expect(await promote('nobody@test.example')).toMatchObject({
      code: 1,
      said: 'Nobody has registered as nobody@test.example.\n',
    });
    expect((await promote()).code).toBe(2);
  });
});
