import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBothShapes } from '../support/shapes.ts';
import type { RunningTown } from '../support/town-shape.ts';
import { addPeople, made, openSite, type People } from '../support/town.ts';

type Secret = { readonly clientId: string; readonly clientSecret: string };
type Registered = Secret & { readonly machine: { readonly id: string } };

/** A machine's program that asks for a token; what it got, and with which status. */
async function signIn(town: RunningTown, { clientId, clientSecret }: Secret) {
  return town.api.call<{ access_token: string }>('POST /api/oauth/token', {
    bytes: new URLSearchParams({ grant_type: 'client_credentials' }).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    },
  });
}

describeInBothShapes('credentials of machines', (startTown) => {
  let town: RunningTown;
  let people: People;
  let siteId: string;

  beforeAll(async () => {
    town = await startTown();
    people = await addPeople(town);
    siteId = await openSite(town, people.manager);
  });

  afterAll(() => town.close());

  const letsIn = async (secret: Secret) => (await signIn(town, secret)).status === 200;

  test('given a registered machine, when its program signs in, then it works for itself until it is revoked', async () => {
    const { token } = people.manager;
    const body = { name: 'Platform 2', siteId };
    await town.idle();
    const first = await made<Registered>(town, 'POST /api/vending-machines/register', { token, body });
    const { id } = first.machine;
    await expect.poll(() => letsIn(first)).toBe(true);
    const { body: granted } = await signIn(town, first);
    const started = await town.api.call('POST /api/orchestrator/start-work', {
      ...{ token: granted.access_token, body: {} },
    });
    expect([started.status, started.body]).toEqual([
      200,
      expect.objectContaining({ machine: expect.objectContaining({ id, status: 'choose_product' }) }),
    ]);
    await made(town, `POST /api/vending-machines/${id}/reset`, { token });

    const second = await made<Secret>(town, `POST /api/vending-machines/${id}/credentials`, { token });
    await expect.poll(() => letsIn(second)).toBe(true);
    expect(await letsIn(first)).toBe(false);

    await made(town, `DELETE /api/vending-machines/${id}/credentials`, { token });
    await expect.poll(() => letsIn(second)).toBe(false);
    // The token that is still out starts nothing either.
    const late = await town.api.call('POST /api/orchestrator/start-work', {
      ...{ token: granted.access_token, body: {} },
    });
    expect(late.status).toBe(403);
  });
});
