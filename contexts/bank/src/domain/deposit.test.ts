import { describe, expect, it } from 'vitest';
import { depositTarget } from './deposit.ts';

function target(isManager: boolean, accountId: string | undefined, isDemo: boolean) {
  const decided = depositTarget({ callerId: 'me', isManager, accountId, isDemo });
  return decided.ok ? decided.value : decided.refusal.kind;
}

describe('where a deposit goes', () => {
  it('given a manager, when an account is named or not, then any account will do, demo or not', () => {
    expect(target(true, 'you', false)).toEqual({ accountId: 'you', isOwn: false });
    expect(target(true, undefined, false)).toEqual({ accountId: 'me', isOwn: true });
  });

  it('given anybody else in a demo, when the account is their own, then they may', () => {
    expect(target(false, undefined, true)).toEqual({ accountId: 'me', isOwn: true });
    expect(target(false, 'me', true)).toEqual({ accountId: 'me', isOwn: true });
  });

  it('given anybody else, when it is not a demo, then they may not make money', () => {
    expect(target(false, 'me', false)).toBe('forbidden');
  });

  it("given anybody else, when the account is somebody's, then there is no such account", () => {
    expect(target(false, 'you', true)).toBe('not-found');
    expect(target(false, 'you', false)).toBe('not-found');
  });
});
