import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer } from './identity-server.ts';

let server: IdentityServer;
beforeAll(async () => {
  server = await openIdentityServer();
});
afterAll(() => server.close());

async function start(): Promise<void> {
  const { db, open } = server.context.running;
  await db.withTx(async (tx) => open.prepare?.(tx));
}

function storedKids() {
  return server.context.sql<{ kid: string }>('SELECT kid FROM identity.signing_keys');
}

describe('signing keys', () => {
  it('given a key, when the process starts again, then the key stays', async () => {
    const before = await storedKids();
    await start();
    expect(await storedKids()).toEqual(before);
  });

  it('given a new database, when four processes start at once, then one key is made and all know it', async () => {
    await server.context.sql('DELETE FROM identity.signing_keys');
    await Promise.all([start(), start(), start(), start()]);
    const stored = await storedKids();
    expect(stored.length).toBe(1);
    expect((await server.context.running.open.jwks()).keys).toMatchObject(stored);
  });

  it('given no key at all, when keys are asked for, then it throws: identity has not been started', async () => {
    await server.context.sql('DELETE FROM identity.signing_keys');
    await expect(server.context.running.open.jwks()).rejects.toThrow('no signing key');
  });
});
