import { DAY, plus } from '@provender/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer } from './identity-server.ts';

let server: IdentityServer;
beforeAll(async () => {
  server = await openIdentityServer();
});
afterAll(() => server.close());

async function count(table: string): Promise<number | undefined> {
  const [row] = await server.context.sql<{ count: number }>(`SELECT count(*)::int AS count FROM identity.${table}`);
  return row?.count;
}

describe('purging what has ended', () => {
  it('given ended and living tokens and counts, when a day has passed, then only what had ended is gone', async () => {
    await server.signIn('customer@example.com');
    await server.context.sql("UPDATE identity.artifacts SET expires_at = now() - interval '1 second'");
    const living = await server.signIn('customer@example.com');
    await server.form('/api/oauth/token', { grant_type: 'password', username: 'old', password: 'wrong' });
    await server.context.sql("UPDATE identity.sign_in_failures SET last_failed_at = now() - interval '61 minutes'");
    await server.form('/api/oauth/token', { grant_type: 'password', username: 'new', password: 'wrong' });
    expect([await count('artifacts'), await count('sign_in_failures')]).toEqual([4, 5]);
    await server.context.advanceTo(plus(server.context.clock.now(), 2 * DAY));
    expect([await count('artifacts'), await count('sign_in_failures')]).toEqual([2, 3]);
    expect((await server.refresh(living.refresh_token)).status).toBe(200);
  });
});
