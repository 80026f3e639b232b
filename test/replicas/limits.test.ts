import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApiAnswer } from '../support/api.ts';
import { addPeople, type People } from '../support/town.ts';
import { type Replica, type Replicas, startReplicas } from './replicas.ts';

// Who asks too often is refused by all replicas, though each counts by itself for a moment.

const REGISTRATIONS_MAX = 300;
/** So many of them another replica gives away before it asks what the others have counted. */
const OWN_SHARE = REGISTRATIONS_MAX / 10;
const WAIT = { timeout: 20_000, interval: 20 };
/** Failures of one person from one address that cost nothing. */
const FAILURES_FREE = 10;

let replicas: Replicas;
let first: Replica;
let second: Replica;
let people: People;

beforeAll(async () => {
  replicas = await startReplicas({ carrier: 'postgres', env: { RATE_LIMIT: 'on' } });
  [first, second] = replicas.all as [Replica, Replica];
  people = await addPeople(first);
});
afterAll(() => replicas.close());

/** Asks until this replica refuses; the counts are added up every second. */
async function untilRefused(call: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
  return vi.waitFor(async () => {
    const answer = await call();
    expect(answer.status).toBe(429);
    return answer;
  }, WAIT);
}

describe('limits over replicas', () => {
  test('given a strict route, when one replica has been asked to the limit, then the other refuses soon too', async () => {
    // Nobody registers by this, but it counts.
    const ask = (replica: Replica) => replica.api.call('POST /api/users', { body: {} });
    const statuses = new Set<number>();
    for (let round = 0; round < REGISTRATIONS_MAX; round += 1) statuses.add((await ask(first)).status);
    expect([...statuses]).toEqual([400]);
    expect((await ask(first)).status).toBe(429);
    let given = 0;
    const refused = await untilRefused(async () => {
      const answer = await ask(second);
      if (answer.status === 400) given += 1;
      return answer;
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(given).toBeGreaterThanOrEqual(OWN_SHARE);
    expect(given).toBeLessThan(REGISTRATIONS_MAX);
    expect((await second.api.call('GET /api/sites')).status).toBe(200);
  });

  test('given callers who are far from any limit, then nobody is written down', async () => {
    const { token } = people.customer;
    for (let round = 0; round < 20; round += 1) await first.api.call('GET /api/users/me', { token });
    const rows = await replicas.sql<{ key: string }>('SELECT key FROM platform.request_counts');
    expect(rows.map(({ key }) => key).filter((key) => key.includes(people.customer.id))).toEqual([]);
  });

  test('given a password that is guessed at one replica, then the other knows of the failures at once', async () => {
    const signIn = (replica: Replica, password: string) => {
      const form = new URLSearchParams({ grant_type: 'password', username: 'staff@test.example', password });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return replica.api.call('POST /api/oauth/token', { bytes: form.toString(), headers });
    };
    for (let failures = 0; failures < FAILURES_FREE; failures += 1) {
      expect((await signIn(first, `guess ${failures}`)).status).toBe(400);
    }
    const refused = await signIn(second, 'one more');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });
});
