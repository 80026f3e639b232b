import type { MachineMove } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Timer, Tx } from '@provender/platform';
import { type Machine, moved, statusChanged } from '../domain/machine.ts';
import { lockMachine, updateMachine } from '../store/machines.ts';
import { moveSession, readSession } from '../store/sessions.ts';
import type { UnknownMachine } from './manage-credentials.ts';

/** The name of the timer that each choice has, under its session's id. */
export const CHOICE_TIMER = 'choice';

/** Gives a machine back for which no choice came in time. One that came, or a reset, leaves nothing to do. */
export async function giveBack({ key: sessionId }: Pick<Timer, 'key'>, tx: Tx, now: Instant): Promise<null> {
  const session = await readSession(tx, sessionId);
  const machine = session === undefined ? undefined : await lockMachine(tx, session.machineId);
  if (machine?.sessionId !== sessionId || machine.status !== 'choose_product') return null;
  await free(tx, machine, 'give-back', 'no-choice', now);
  return null;
}

/**
 * Frees a machine whatever it does. The session that had it is cancelled; its timer finds that out, as the job locks
 * timer and machine in the other order. Refuses an unknown machine, and `already-idle`.
 */
export async function resetMachine(
  tx: Tx,
  machineId: string,
  now: Instant,
): Promise<Result<Machine, UnknownMachine | { readonly kind: 'already-idle' }>> {
  const machine = await lockMachine(tx, machineId);
  if (machine === undefined) return refuse({ kind: 'unknown-machine' });
  if (machine.status === 'idle') return refuse({ kind: 'already-idle' });
  return accept(await free(tx, machine, 'reset', 'reset', now));
}

/** Frees a locked machine that waits for a choice, or is out of service. */
async function free(tx: Tx, before: Machine, move: MachineMove, cause: string, now: Instant): Promise<Machine> {
  const after = moved(before, move, null, now);
  if (!after.ok) throw new Error(`A machine that is ${before.status} cannot ${move}`);
  await updateMachine(tx, after.value);
  if (before.sessionId !== null) await moveSession(tx, before.sessionId, { status: 'cancelled', cause, at: now });
  tx.append([statusChanged(before, after.value, move)]);
  return after.value;
}
