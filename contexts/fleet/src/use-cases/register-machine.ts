import type { SlotDraft } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Credentials, credentialsIssued } from '../domain/credentials.ts';
import { type Machine, machineFrom, machineRegistered, type NewMachine } from '../domain/machine.ts';
import type { PlanogramRefusal } from '../domain/planogram.ts';
import { readCurrency } from '../store/copies.ts';
import { insertMachine } from '../store/machines.ts';
import { decideSlots, savePlanogram } from './define-planogram.ts';

/**
 * Takes a machine into the fleet: idle, with its credentials and, where slots are given, its first planogram. Refuses
 * a site that is not known, and slots as `decidePlanogram` does.
 */
export async function registerMachine(
  tx: Tx,
  draft: NewMachine & { readonly slots: readonly SlotDraft[] },
  credentials: Credentials,
  now: Instant,
): Promise<Result<Machine, PlanogramRefusal | { readonly kind: 'unknown-site' }>> {
  const { slots, ...wanted } = draft;
  const currency = await readCurrency(tx, draft.siteId);
  if (currency === undefined) return refuse({ kind: 'unknown-site' });
  const decided = await decideSlots(tx, slots, currency);
  if (!decided.ok) return decided;
  const machine = machineFrom(wanted, credentials.clientId, now);
  await insertMachine(tx, machine);
  tx.append([machineRegistered(machine), credentialsIssued(machine.id, credentials, null)]);
  if (slots.length > 0) await savePlanogram(tx, machine, slots, currency, now);
  return accept(machine);
}
