import { describe, expect, test } from 'vitest';
import { wishOf } from './choice.ts';

const machine = { kind: 'machine', id: 'm1' } as const;

describe('whose machine is wished for', () => {
  test('given a person, then any machine, or whichever', () => {
    expect(wishOf({ kind: 'user', id: 'u' }, {})).toEqual({ ok: true, value: { siteId: null, machineId: null } });
    expect(wishOf({ kind: 'user', id: 'u' }, { siteId: 's', machineId: 'm2' })).toEqual({
      ok: true,
      value: { siteId: 's', machineId: 'm2' },
    });
  });

  test('given a machine, then itself, and no other', () => {
    expect(wishOf(machine, {})).toEqual({ ok: true, value: { siteId: null, machineId: 'm1' } });
    expect(wishOf(machine, { machineId: 'm1' })).toMatchObject({ ok: true });
    expect(wishOf(machine, { machineId: 'm2' })).toEqual({ ok: false, refusal: { kind: 'not-itself' } });
  });
});
