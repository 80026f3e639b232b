import type { Role } from '@provender/contracts';

/** Who speaks: nobody known, a person, or a machine that speaks for itself. */
export type Caller = AnonymousCaller | SignedInCaller;
export type AnonymousCaller = { readonly kind: 'anonymous' };
export type SignedInCaller = UserCaller | MachineCaller;
export type UserCaller = { readonly kind: 'user'; readonly id: string; readonly roles: readonly Role[] };
export type MachineCaller = { readonly kind: 'machine'; readonly id: string };

/** Who may call a route. `['staff']` admits managers too; `'signed-in'` admits every role, machines as well. */
export type Access = 'anyone' | 'signed-in' | readonly Role[];

/** What a handler can know of its caller from the route's access alone. */
export type CallerOf<Admitted extends Access> = Admitted extends 'anyone'
  ? Caller
  : Admitted extends readonly Role[]
    ? 'machine' extends Admitted[number]
      ? SignedInCaller
      : UserCaller
    : SignedInCaller;

export const ANONYMOUS: AnonymousCaller = { kind: 'anonymous' };

/** True where the caller has the role itself, or is a manager and the role is staff. */
export function actsAs(caller: Caller, role: Role): boolean {
  if (caller.kind === 'anonymous') return false;
  if (caller.kind === 'machine') return role === 'machine';
  return caller.roles.includes(role) || (role === 'staff' && caller.roles.includes('manager'));
}

/** Decides whether a caller may call a route. Gives the kind of the refusal, or undefined where it may. */
export function accessRefusal(access: Access, caller: Caller): 'unauthenticated' | 'forbidden' | undefined {
  if (access === 'anyone') return undefined;
  if (caller.kind === 'anonymous') return 'unauthenticated';
  if (access === 'signed-in') return undefined;
  return access.some((role) => actsAs(caller, role)) ? undefined : 'forbidden';
}

/** The caller as one word, for scopes, limits and logs. */
export function callerName(caller: Caller): string {
  return caller.kind === 'anonymous' ? 'anonymous' : `${caller.kind}:${caller.id}`;
}
