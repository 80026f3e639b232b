import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addPeople, made, openSite, type People } from '../support/town.ts';
import { describeOverBoth, type Replica, type Replicas, startReplicas } from './replicas.ts';

// A token says for a quarter of an hour what its bearer may do; what is taken away meanwhile is gone within seconds.

const WAIT = { timeout: 15_000, interval: 50 };

describeOverBoth('roles over two replicas', (carrier) => {
  let replicas: Replicas;
  let first: Replica;
  let second: Replica;
  let people: People;
  let siteId: string;

  beforeAll(async () => {
    replicas = await startReplicas({ carrier });
    [first, second] = replicas.all as [Replica, Replica];
    people = await addPeople(first);
    siteId = await openSite(first, people.manager);
    await replicas.idle();
  }, 60_000);
  afterAll(() => replicas.close());

  const stock = (replica: Replica, token: string) =>
    replica.api.call(`GET /api/inventory/stock?siteId=${siteId}`, { token });
  const setRoles = (id: string, roles: string[]) =>
    made(first, `PUT /api/users/${id}/roles`, { token: people.manager.token, body: { roles } });

  test('given staff whose role is taken away, when an older token is shown to any replica, then it is 403 soon', async () => {
    const { id, token } = people.staff;
    for (const replica of [first, second]) expect((await stock(replica, token)).status).toBe(200);
    await setRoles(id, ['customer']);
    for (const replica of [first, second]) {
      await vi.waitFor(async () => expect((await stock(replica, token)).status).toBe(403), WAIT);
      expect((await replica.api.call('GET /api/sites', { token })).status).toBe(200);
    }
  });

  test('given that the role is given back, then it comes with the next token, at once and everywhere', async () => {
    const { id } = people.staff;
    await setRoles(id, ['customer', 'staff']);
    const again = await first.api.signIn('staff@test.example', 'a pass phrase for tests');
    for (const replica of [first, second]) {
      await vi.waitFor(async () => expect((await stock(replica, again)).status).toBe(200), WAIT);
    }
  });

  test('given somebody who is given a role, then an older token says no more than before', async () => {
    await setRoles(people.neighbour.id, ['customer', 'staff']);
    await replicas.idle();
    for (const replica of [first, second]) expect((await stock(replica, people.neighbour.token)).status).toBe(403);
  });
});
