import {
  ChangeRolesRequest,
  IdParams,
  PageQuery,
  ProfileView,
  RegisterUserRequest,
  UserPage,
  UserView,
} from '@provender/contracts';
import {
  answer,
  type Caller,
  type Database,
  type HttpApp,
  type Ids,
  page,
  paged,
  problem,
  read,
  write,
} from '@provender/platform';
import { choosePassword, type PasswordRefusal } from '../domain/password.ts';
import { EMPTY_PROFILE } from '../domain/profile.ts';
import { mayRead, ROLES_AT_REGISTRATION } from '../domain/user.ts';
import { type HashQueue, hashPassword } from '../password-hash.ts';
import { usersNewestFirst } from '../store.ts';
import { userWithProfile } from '../store/profiles.ts';
import { changeRoles } from '../use-cases/change-roles.ts';
import { registerUsers } from '../use-cases/register-users.ts';

export type RoutesPlace = { readonly db: Database; readonly ids: Ids; readonly hashes: HashQueue };

/** Statuses of the refusals of this context. */
const problems = { 'email-taken': 409, 'last-manager': 409 } as const;

/** From one address in a minute: each costs a hash, and stays. */
const REGISTRATIONS_MAX = { max: 300, timeWindow: 60_000 };

const PASSWORD_ADVICE = {
  'password-too-short': 'must have at least 8 characters',
  'password-too-long': 'must have at most 200 characters',
  'password-is-the-email': 'must not be the e-mail address',
  'password-is-easily-guessed': 'is one of the passwords that everybody tries first',
} as const satisfies Record<PasswordRefusal['kind'], string>;

const NO_SUCH_USER = problem('not-found', { detail: 'There is no such user.' });

/** The routes for people: register, look, change roles. */
export function userRoutes(app: HttpApp, place: RoutesPlace): void {
  register(app, place);
  readUsers(app, place);
  giveRoles(app, place);
}

function register(app: HttpApp, { db, ids, hashes }: RoutesPlace): void {
  write(app, {
    method: 'POST',
    url: '/api/users',
    access: 'anyone',
    summary: 'Registers a customer',
    schema: { body: RegisterUserRequest, response: { 201: UserView } },
    db,
    problems,
    rateLimit: REGISTRATIONS_MAX,
    async prepare({ body }) {
      const chosen = choosePassword(body.password, body.email);
      if (!chosen.ok) return badPassword(chosen.refusal);
      const passwordHash = await hashes.run(() => hashPassword(chosen.value));
      return passwordHash ?? tooBusy;
    },
    async handle({ body: { email, name }, now }, tx, prepared) {
      if (typeof prepared !== 'string') return prepared;
      const registration = { email, name, roles: ROLES_AT_REGISTRATION, passwordHash: prepared };
      const [registered] = await registerUsers(tx, ids, [registration], now);
      if (registered?.ok === true) return answer(201, registered.value);
      return problem('email-taken', { detail: 'Somebody has registered with this e-mail address already.' });
    },
  });
}

const tooBusy = problem(
  'unavailable',
  { detail: 'Too many registrations and sign-ins at once. Ask again in a moment.' },
  { 'retry-after': '2' },
);

function badPassword({ kind }: PasswordRefusal) {
  const errors = [{ pointer: '/password', detail: PASSWORD_ADVICE[kind] }];
  return problem('invalid-request', { detail: 'The password cannot be taken.', errors });
}

function readUsers(app: HttpApp, { db }: RoutesPlace): void {
  async function profile(caller: Caller, id: string) {
    const reader = caller.kind === 'user' ? caller : undefined;
    const found = reader !== undefined && mayRead(reader, id) ? await userWithProfile(db, id) : undefined;
    return found === undefined ? NO_SUCH_USER : { ...(found.profile ?? EMPTY_PROFILE), ...found.user };
  }

  read(app, {
    method: 'GET',
    url: '/api/users/me',
    access: ['customer', 'staff'],
    summary: 'Who I am: my profile',
    schema: { response: ProfileView },
    handle: ({ caller }) => profile(caller, caller.id),
  });
  read(app, {
    method: 'GET',
    url: '/api/users/:id',
    access: ['customer', 'staff'],
    summary: 'The profile of a user: oneself, or any for managers',
    description:
      'Identity, account and last movements, orders, notifications: what every context has said about the user, also ' +
      'while that context is down.',
    schema: { params: IdParams, response: ProfileView },
    handle: ({ caller, params }) => profile(caller, params.id),
  });
  read(app, {
    method: 'GET',
    url: '/api/users',
    access: ['manager'],
    summary: 'All users, newest first',
    schema: { querystring: PageQuery, response: UserPage },
    async handle({ query }) {
      const paging = paged(query, ['uuid']);
      if (!paging.ok) return paging.refusal;
      const { limit, after } = paging.value;
      const users = await usersNewestFirst(db, after?.[0], limit);
      return page(
        users,
        limit,
        (user) => user,
        (user) => [user.id],
      );
    },
  });
}

function giveRoles(app: HttpApp, { db }: RoutesPlace): void {
  write(app, {
    method: 'PUT',
    url: '/api/users/:id/roles',
    access: ['manager'],
    summary: 'Gives a user other roles; they hold from the next token on',
    schema: { params: IdParams, body: ChangeRolesRequest, response: { 200: UserView } },
    db,
    problems,
    async handle({ params, body }, tx) {
      const changed = await changeRoles(tx, params.id, body.roles);
      if (changed.ok) return answer(200, changed.value);
      if (changed.refusal.kind === 'unknown-user') return NO_SUCH_USER;
      return problem('last-manager', { detail: 'The last manager stays one: nobody could give the role back.' });
    },
  });
}
