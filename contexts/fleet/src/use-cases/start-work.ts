import { accept, type Instant, plus, type Result, refuse } from '@provender/kernel';
import { scheduleTimer, type Tx } from '@provender/platform';
import type { Wish } from '../domain/choice.ts';
import { type Machine, moved, statusChanged } from '../domain/machine.ts';
import { CHOICE_TIME, sessionFrom, type Starter, type VendSession } from '../domain/session.ts';
import { readCurrency } from '../store/copies.ts';
import { lockMachine, takeIdleMachine, updateMachine } from '../store/machines.ts';
import { insertSession } from '../store/sessions.ts';
import { CHOICE_TIMER } from './give-back.ts';

export type StartRefusal = {
  readonly kind: 'unknown-site' | 'unknown-machine' | 'credentials-revoked' | 'no-idle-machine';
};

/**
 * Takes the machine named, or the idle one that was used least, and begins a vend session on it; it waits for a choice
 * then. Refuses a machine or site that is not known, a machine whose credentials were revoked speaking for itself, and
 * `no-idle-machine`.
 */
export async function startWork(
  tx: Tx,
  { sessionId, wish, starter }: { readonly sessionId: string; readonly wish: Wish; readonly starter: Starter },
  now: Instant,
): Promise<Result<{ readonly machine: Machine; readonly session: VendSession }, StartRefusal>> {
  const taken = await takeMachine(tx, wish);
  if (!taken.ok) return taken;
  const before = taken.value;
  if (starter.kind === 'machine' && before.clientId === null) return refuse({ kind: 'credentials-revoked' });
  const working = moved(before, 'start-work', sessionId, now);
  if (!working.ok) return refuse({ kind: 'no-idle-machine' });
  const machine = working.value;
  const session = sessionFrom(sessionId, machine, starter);
  await updateMachine(tx, machine);
  await insertSession(tx, session, { status: session.status, cause: 'start-work', at: now });
  await scheduleTimer(tx, { name: CHOICE_TIMER, key: sessionId, dueAt: plus(now, CHOICE_TIME) });
  tx.append([statusChanged(before, machine, 'start-work')]);
  return accept({ machine, session });
}

async function takeMachine(tx: Tx, { siteId, machineId }: Wish): Promise<Result<Machine, StartRefusal>> {
  if (siteId !== null && (await readCurrency(tx, siteId)) === undefined) return refuse({ kind: 'unknown-site' });
  if (machineId === null) {
    const machine = await takeIdleMachine(tx, siteId);
    return machine === undefined ? refuse({ kind: 'no-idle-machine' }) : accept(machine);
  }
  const machine = await lockMachine(tx, machineId);
  // A machine that stands elsewhere is not at this site, whatever it is called.
  if (machine === undefined || (siteId !== null && machine.siteId !== siteId)) {
    return refuse({ kind: 'unknown-machine' });
  }
  return accept(machine);
}
