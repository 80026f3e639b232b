import { PERSON_ROLES } from '@provender/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeRoles, mayRead, type User } from './user.ts';

const ada: User = { id: 'ada', email: 'ada@example.com', name: 'Ada', roles: ['customer', 'manager'] };
const someRoles = fc.uniqueArray(fc.constantFrom(...PERSON_ROLES), { minLength: 1 });

describe('changing roles', () => {
  it('given nobody of that id, when roles are changed, then there is no such user', () => {
    expect(changeRoles(undefined, ['staff'], ['ada'])).toEqual({ ok: false, refusal: { kind: 'unknown-user' } });
  });

  it('given the last manager, when the role is given up, then it is refused', () => {
    expect(changeRoles(ada, ['staff'], ['ada'])).toEqual({ ok: false, refusal: { kind: 'last-manager' } });
  });

  it('given the last manager, when other roles change, then they change', () => {
    expect(changeRoles(ada, ['manager', 'staff'], ['ada'])).toEqual({
      ok: true,
      value: { roles: ['staff', 'manager'], changed: true },
    });
  });

  it('given a second manager, when one gives the role up, then the other remains', () => {
    expect(changeRoles(ada, ['customer'], ['ada', 'eve'])).toMatchObject({ ok: true });
  });

  it('given the roles that one has already, in another order, when asked for, then nothing changes', () => {
    expect(changeRoles(ada, ['manager', 'customer'], ['ada'])).toMatchObject({ ok: true, value: { changed: false } });
  });

  it('given any managers and any change, when it is accepted, then a manager is left', () => {
    const managers = fc.uniqueArray(fc.constantFrom('ada', 'eve', 'joe'), { minLength: 1 });
    fc.assert(
      fc.property(
        managers,
        fc.constantFrom('ada', 'eve', 'joe', 'sam'),
        someRoles,
        (managerIds: string[], id, wanted) => {
          const roles: User['roles'] = managerIds.includes(id) ? ['manager'] : ['customer'];
          const changed = changeRoles({ ...ada, id, roles }, wanted, managerIds);
          if (!changed.ok) return;
          const isManager = changed.value.roles.includes('manager');
          const left = managerIds.filter((managerId) => managerId !== id).length + (isManager ? 1 : 0);
          expect(left).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('reading a user', () => {
  it('given oneself, when read, then shown; given another, then only to a manager', () => {
    expect(mayRead({ id: 'sam', roles: ['customer'] }, 'sam')).toBe(true);
    expect(mayRead({ id: 'sam', roles: ['customer', 'staff'] }, 'ada')).toBe(false);
    expect(mayRead({ id: 'ada', roles: ['manager'] }, 'sam')).toBe(true);
  });
});
