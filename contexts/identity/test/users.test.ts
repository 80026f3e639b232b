import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityServer, openIdentityServer, textOf } from './identity-server.ts';

let server: IdentityServer;
let manager: string;
let customer: string;

beforeAll(async () => {
  server = await openIdentityServer();
  manager = (await server.signIn('manager@example.com')).access_token;
  customer = (await server.signIn('customer@example.com')).access_token;
});
afterAll(() => server.close());

const NEW = { email: 'Robin.Rye@example.com', password: 'a loaf of rye', name: 'Robin Rye' };
const idOf = (email: string) => `${server.people[email]?.id}`;

describe('registering', () => {
  it('given a new address, when registered, then it is a customer who can sign in, and it is said', async () => {
    const answer = await server.request('POST', '/api/users', { body: NEW });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ id: expect.any(String), email: NEW.email, name: NEW.name, roles: ['customer'] });
    expect(await server.signIn('robin.rye@example.com', NEW.password)).toBeDefined();
    const said = await server.context.said('identity.user-registered.v1');
    expect(said.at(-1)).toMatchObject({
      key: answer.body['id'],
      subject: answer.body['id'],
      data: { userId: answer.body['id'], email: NEW.email, name: NEW.name, roles: ['customer'] },
    });
  });

  it('given a taken address, in other letters, when registered, then it is 409 and nothing is said', async () => {
    const before = (await server.context.said()).length;
    const answer = await server.request('POST', '/api/users', { body: { ...NEW, email: 'ROBIN.RYE@EXAMPLE.COM' } });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ type: '/problems/email-taken' });
    expect((await server.context.said()).length).toBe(before);
  });

  it('given twenty registrations of one address at once, when over, then one user is there', async () => {
    const body = { ...NEW, email: 'race@example.com' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.request('POST', '/api/users', { body })));
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([
      201,
      ...Array.from({ length: 19 }, () => 409),
    ]);
  });

  it('given an Idempotency-Key, when the registration is repeated, then the first answer comes again', async () => {
    const body = { ...NEW, email: 'twice@example.com' };
    const headers = { 'idempotency-key': 'register-twice' };
    const first = await server.request('POST', '/api/users', { body, headers });
    const second = await server.request('POST', '/api/users', { body, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotency-replayed']).toBe('true');
  });

  it.each([
    ['a short password', { password: 'short' }, '/password'],
    ['a password that is the address', { password: 'robin2@example.com' }, '/password'],
    ['a password that everybody tries', { password: 'password' }, '/password'],
    ['no address', { email: 'robin' }, '/email'],
    ['a line break in the name', { name: 'Ro\nbin' }, '/name'],
    ['an empty name', { name: '' }, '/name'],
    ['a number for a name', { name: 1 }, '/name'],
    ['a role of its own choice', { roles: ['manager'] }, '/roles'],
    ['an id of its own choice', { id: '01992f60-5a3c-7c11-9d52-0c2f6f0a7b11' }, '/id'],
  ])('given %s, when registered, then it is 400 and says where', async (_case, change, pointer) => {
    const body = { ...NEW, email: 'robin2@example.com', ...change };
    const answer = await server.request('POST', '/api/users', { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      type: '/problems/invalid-request',
      errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
    });
  });

  it('given the log and the database, when they are read, then no password stands in them', async () => {
    const rows = await server.context.sql<{ text: string }>(
      `SELECT users::text AS text FROM identity.users UNION ALL SELECT passwords::text FROM identity.passwords
       UNION ALL SELECT outbox::text FROM identity.outbox UNION ALL SELECT i::text FROM identity.idempotency_keys i`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map((row) => row.text).join('\n')).not.toContain(NEW.password);
  });

  it('given the auditor, when it reads all it may, then it sees neither keys nor password hashes', async () => {
    const count =
      'SELECT count(*)::int AS keys FROM identity.signing_keys UNION ALL SELECT count(*)::int FROM identity.passwords';
    await server.context.sql('SET ROLE provender_auditor');
    const hidden = await server.context.sql(count);
    await server.context.sql('RESET ROLE');
    expect(hidden).toEqual([{ keys: 0 }, { keys: 0 }]);
  });
});

describe('reading users', () => {
  it('given nobody, when users are read, then it is 401', async () => {
    for (const url of ['/api/users/me', '/api/users', `/api/users/${idOf('staff@example.com')}`]) {
      expect((await server.request('GET', url)).status).toBe(401);
    }
  });

  it('given a customer, when they read themself, then they see it, by either address', async () => {
    const me = await server.request('GET', '/api/users/me', { token: customer });
    expect(me.body).toMatchObject({ email: 'customer@example.com', roles: ['customer'] });
    const same = await server.request('GET', `/api/users/${textOf(me, 'id')}`, { token: customer });
    expect(same.body).toEqual(me.body);
  });

  it('given a customer or staff, when they read somebody else, then there is no such user', async () => {
    const staff = (await server.signIn('staff@example.com')).access_token;
    for (const token of [customer, staff]) {
      const answer = await server.request('GET', `/api/users/${idOf('manager@example.com')}`, { token });
      expect([answer.status, answer.body['type']]).toEqual([404, '/problems/not-found']);
    }
  });

  it('given a manager, when they read anybody, then they see them; nobody of that id is 404', async () => {
    const known = await server.request('GET', `/api/users/${idOf('customer@example.com')}`, { token: manager });
    expect(known.body).toMatchObject({ email: 'customer@example.com' });
    const unknown = await server.request('GET', '/api/users/01992f60-5a3c-7c11-9d52-0c2f6f0a7b11', { token: manager });
    expect(unknown.status).toBe(404);
  });

  it('given pages of two, when a manager walks through all users, then each comes once, newest first', async () => {
    const ids: string[] = [];
    let query: string | undefined = '';
    for (let pages = 0; query !== undefined && pages < 20; pages += 1) {
      const one = await server.request('GET', `/api/users?limit=2${query}`, { token: manager });
      for (const item of one.body['items'] as { id: string }[]) ids.push(item.id);
      query = 'nextCursor' in one.body ? `&cursor=${textOf(one, 'nextCursor')}` : undefined;
    }
    const [all] = await server.context.sql<{ count: number }>('SELECT count(*)::int AS count FROM identity.users');
    expect(ids.length).toBe(all?.count);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
  });

  it('given a customer, when they list users, then it is 403', async () => {
    expect((await server.request('GET', '/api/users', { token: customer })).status).toBe(403);
  });
});

describe('giving roles', () => {
  const url = (email: string) => `/api/users/${idOf(email)}/roles`;

  it('given a manager, when they make a customer staff, then it is said, and holds in the next token', async () => {
    const made = await server.request('PUT', url('customer@example.com'), {
      token: manager,
      body: { roles: ['staff', 'customer'] },
    });
    expect(made.body).toMatchObject({ roles: ['customer', 'staff'] });
    const said = (await server.context.said('identity.roles-changed.v1')).at(-1);
    expect(said?.data).toEqual({ userId: idOf('customer@example.com'), roles: ['customer', 'staff'] });
    const me = (await server.signIn('customer@example.com')).access_token;
    expect((await server.request('GET', '/api/users/me', { token: me })).body).toMatchObject({
      roles: ['customer', 'staff'],
    });
    await server.request('PUT', url('customer@example.com'), { token: manager, body: { roles: ['customer'] } });
  });

  it('given the roles that one has, when given again, then nothing more is said', async () => {
    const before = (await server.context.said('identity.roles-changed.v1')).length;
    const again = await server.request('PUT', url('customer@example.com'), {
      token: manager,
      body: { roles: ['customer'] },
    });
    expect(again.status).toBe(200);
    expect((await server.context.said('identity.roles-changed.v1')).length).toBe(before);
  });

  it('given the last manager, when they give the role up, then it is 409', async () => {
    const answer = await server.request('PUT', url('manager@example.com'), {
      token: manager,
      body: { roles: ['staff'] },
    });
    expect([answer.status, answer.body['type']]).toEqual([409, '/problems/last-manager']);
  });

  it('given two managers, when each takes the role from the other at once, then one of them remains', async () => {
    await server.request('PUT', url('staff@example.com'), { token: manager, body: { roles: ['manager'] } });
    const answers = await Promise.all(
      ['staff@example.com', 'manager@example.com'].map((email) =>
        server.request('PUT', url(email), { token: manager, body: { roles: ['staff'] } }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 409]);
    const left = await server.context.sql("SELECT FROM identity.users WHERE 'manager' = ANY (roles)");
    expect(left.length).toBe(1);
  });

  it.each([
    ['no roles', { roles: [] }],
    ['the role of machines', { roles: ['machine'] }],
    ['a role twice', { roles: ['staff', 'staff'] }],
    ['an unknown role', { roles: ['admin'] }],
    ['one role as text', { roles: 'staff' }],
    ['more than roles', { roles: ['staff'], email: 'x@example.com' }],
  ])('given %s, when given, then it is 400', async (_case, body) => {
    expect((await server.request('PUT', url('customer@example.com'), { token: manager, body })).status).toBe(400);
  });

  it('given a customer, when they give roles, then it is 403; an unknown user is 404 to a manager', async () => {
    const body = { roles: ['manager'] };
    expect((await server.request('PUT', url('customer@example.com'), { token: customer, body })).status).toBe(403);
    const unknown = await server.request('PUT', '/api/users/01992f60-5a3c-7c11-9d52-0c2f6f0a7b11/roles', {
      token: manager,
      body,
    });
    expect(unknown.status).toBe(404);
  });
});
