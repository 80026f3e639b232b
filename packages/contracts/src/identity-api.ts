import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, MoneySchema, Page, ROLES, Text, Uuid } from './common.ts';
import { NOTICE_CHANNELS, NOTICE_KINDS } from './notifications.ts';
import { ORDER_STATUSES } from './orders.ts';

/**
 * The `aud` of every access token: our API, wherever it is reached. It stays when host or port change;
 * `iss` tells one installation from another.
 */
export const ACCESS_TOKEN_AUDIENCE = 'urn:provender:api';

/** The one scope there is: what a caller may do in it is said by the roles. */
export const API_SCOPE = 'api';

/** Our own pages and whoever sends no `client_id`: a public client, it has no secret. */
export const FIRST_PARTY_CLIENT_ID = 'provender';

const EMAIL_LENGTH_MAX = 254;
const PERSON_NAME_LENGTH_MAX = 100;
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 200;

/** The roles that a person may have; `machine` is for credentials of machines only. */
export const PERSON_ROLES = ['customer', 'staff', 'manager'] as const satisfies readonly (typeof ROLES)[number][];
export type PersonRole = (typeof PERSON_ROLES)[number];

export const RegisterUserRequest = Type.Object(
  {
    email: Type.String({
      maxLength: EMAIL_LENGTH_MAX,
      format: 'email',
      description: 'Unique, whatever its letters’ case',
    }),
    password: Type.String({
      minLength: PASSWORD_LENGTH_MIN,
      maxLength: PASSWORD_LENGTH_MAX,
      format: 'text-line',
      description: 'At least 8 characters; neither the e-mail address nor one of the most guessed passwords',
    }),
    name: Text(PERSON_NAME_LENGTH_MAX),
  },
  CLOSED,
);
export type RegisterUserRequest = Static<typeof RegisterUserRequest>;

/** Ways in which money came to an account, or left it, as a profile tells of them. */
export const PROFILE_MOVEMENTS = ['deposit', 'payment', 'refund'] as const;
export type ProfileMovementKind = (typeof PROFILE_MOVEMENTS)[number];

export const UserView = Type.Object(
  { id: Uuid, email: Type.String(), name: Type.String(), roles: Type.Array(Literals(ROLES)) },
  CLOSED,
);
export type UserView = Static<typeof UserView>;

export const UserPage = Page(UserView);

const ProfileMovement = Type.Object(
  {
    id: Uuid,
    kind: Literals(PROFILE_MOVEMENTS),
    amount: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Negative where money left the account' }),
    orderId: Type.Optional(Uuid),
    at: InstantText,
  },
  CLOSED,
);

const ProfileOrder = Type.Object(
  {
    id: Uuid,
    siteId: Uuid,
    channel: Type.String(),
    status: Literals(ORDER_STATUSES),
    reason: Type.Optional(Type.String()),
    lines: Type.Array(
      Type.Object(
        { name: Type.String(), variationName: Type.Optional(Type.String()), quantity: Type.Integer() },
        CLOSED,
      ),
      { description: 'The first ten' },
    ),
    total: MoneySchema,
    placedAt: InstantText,
    changedAt: InstantText,
  },
  CLOSED,
);

const ProfileNotification = Type.Object(
  {
    id: Uuid,
    channel: Literals(NOTICE_CHANNELS),
    kind: Literals(NOTICE_KINDS),
    orderId: Type.Optional(Uuid),
    deliveredAt: InstantText,
  },
  CLOSED,
);

/** What every context has said about a user, as far as identity has heard it. */
export const ProfileView = Type.Object(
  {
    ...UserView.properties,
    account: Type.Optional(
      Type.Object(
        {
          id: Uuid,
          balance: Type.Optional(MoneySchema),
          movements: Type.Array(ProfileMovement, { description: 'The last ten, newest first' }),
        },
        CLOSED,
      ),
    ),
    orders: Type.Object(
      { placed: Type.Integer(), latest: Type.Array(ProfileOrder, { description: 'The last ten, newest first' }) },
      CLOSED,
    ),
    notifications: Type.Object(
      {
        delivered: Type.Integer(),
        latest: Type.Array(ProfileNotification, { description: 'The last ten, newest first' }),
        preferences: Type.Optional(
          Type.Object(
            { email: Type.Array(Literals(NOTICE_KINDS)), webhook: Type.Array(Literals(NOTICE_KINDS)) },
            { ...CLOSED, description: 'Absent: nothing was chosen yet' },
          ),
        ),
      },
      CLOSED,
    ),
    asOf: Type.Optional({ ...InstantText, description: 'Business time of the latest event in it' }),
  },
  CLOSED,
);
export type ProfileView = Static<typeof ProfileView>;

export const ChangeRolesRequest = Type.Object(
  { roles: Type.Array(Literals(PERSON_ROLES), { minItems: 1, maxItems: PERSON_ROLES.length, uniqueItems: true }) },
  CLOSED,
);
export type ChangeRolesRequest = Static<typeof ChangeRolesRequest>;

/** RFC 6749 §5.1. */
export const TokenAnswer = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.String(),
    expires_in: Type.Integer(),
    refresh_token: Type.Optional(Type.String()),
    scope: Type.String(),
  },
  CLOSED,
);
export type TokenAnswer = Static<typeof TokenAnswer>;

/** RFC 6749 §5.2: the errors of `/api/oauth` are these and no problem documents. */
export const OAuthError = Type.Object(
  { error: Type.String(), error_description: Type.Optional(Type.String()) },
  CLOSED,
);
export type OAuthError = Static<typeof OAuthError>;

const FormField = Type.Unsafe<string>({ description: 'Sent once' });

/**
 * The fields of a form are named here for the documentation and checked by the authorization server, whose errors are
 * RFC 6749's: so this schema refuses nothing.
 */
function Form<const Names extends readonly string[]>(names: Names) {
  const properties = Object.fromEntries(names.map((name) => [name, FormField]));
  return Type.Unsafe<unknown>({ type: ['object', 'null'], properties, additionalProperties: true });
}

export const TokenForm = Form([
  'grant_type',
  'username',
  'password',
  'refresh_token',
  'scope',
  'client_id',
  'client_secret',
]);

export const RevocationForm = Form(['token', 'token_type_hint', 'client_id', 'client_secret']);

/** RFC 7009 §2.2: the answer has no body. */
export const RevocationDone = Type.Null({ description: 'The token is of no use, now or ever since' });

/** Keys (RFC 7517) or metadata (RFC 8414): what is in them is said by those. */
export const OAuthDocument = Type.Object({}, { additionalProperties: true });
