import { describe, expect, it } from 'vitest';
import { type Client, rolesOfClient, usableClient } from './client.ts';

const machine: Client = { id: 'c1', kind: 'machine', subject: 'm1', roles: ['machine'], revoked: false };

describe('clients', () => {
  it('given a machine, whatever roles are wished, then it may speak for itself only', () => {
    expect(rolesOfClient('machine', ['manager', 'staff'])).toEqual(['machine']);
  });

  it('given a program of others, when it wishes to be a machine, then it is not', () => {
    expect(rolesOfClient('confidential', ['staff', 'machine'])).toEqual(['staff']);
  });

  it('given no client, or a revoked one, when it is to be used, then it is refused', () => {
    expect(usableClient(undefined)).toEqual({ ok: false, refusal: { kind: 'unknown-client' } });
    expect(usableClient({ ...machine, revoked: true })).toEqual({ ok: false, refusal: { kind: 'client-revoked' } });
    expect(usableClient(machine)).toEqual({ ok: true, value: machine });
  });
});
