import { MACHINE_MOVES, MACHINE_STATUSES, machineTransitions } from '@provender/contracts';
import { instant, MINUTE, plus } from '@provender/kernel';
import { describe, expect, test } from 'vitest';
import { machineFrom, moved } from './machine.ts';

const now = instant(Date.parse('2026-11-21T08:00:00.000Z'));
const later = plus(now, MINUTE);
const machine = machineFrom({ id: 'm', name: 'M', siteId: 's', stock: 'shared' }, 'client', now);
const moves = MACHINE_STATUSES.flatMap((status) => MACHINE_MOVES.map((move) => [status, move] as const));

describe('the states of a machine', () => {
  test.each(moves)('given a machine that is %s, when it is to %s, then the table says what happens', (status, move) => {
    const table: { readonly [move: string]: string } = machineTransitions[status];
    const after = moved({ ...machine, status }, move, null, later);
    if (table[move] === undefined)
      expect(after).toEqual({ ok: false, refusal: { kind: 'wrong-machine-state', status } });
    else expect(after).toMatchObject({ ok: true, value: { status: table[move], sessionId: null, updatedAt: later } });
  });

  test('given any status but idle, then a reset makes it idle', () => {
    for (const status of MACHINE_STATUSES) {
      const after = moved({ ...machine, status }, 'reset', null, later);
      expect(after.ok ? after.value.status : 'refused').toBe(status === 'idle' ? 'refused' : 'idle');
    }
  });
});
