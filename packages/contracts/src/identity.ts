import { type Static, Type } from 'typebox';
import { CLOSED, Literals, ROLES, Uuid } from './common.ts';

export const UserRegistered = Type.Object(
  { userId: Uuid, email: Type.String(), name: Type.String(), roles: Type.Array(Literals(ROLES)) },
  CLOSED,
);
export type UserRegistered = Static<typeof UserRegistered>;

export const RolesChanged = Type.Object({ userId: Uuid, roles: Type.Array(Literals(ROLES)) }, CLOSED);
export type RolesChanged = Static<typeof RolesChanged>;

/** Key and subject of every identity event: the user. */
export const identityEvents = {
  'identity.user-registered.v1': UserRegistered,
  'identity.roles-changed.v1': RolesChanged,
} as const;
