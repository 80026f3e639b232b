import type { SlotDraft } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import { type Machine, said } from '../domain/machine.ts';
import { decidePlanogram, type Planogram, type PlanogramRefusal } from '../domain/planogram.ts';
import { readCurrency, readProducts } from '../store/copies.ts';
import { insertPlanogram, lockMachine, updateMachine } from '../store/machines.ts';
import { insertSlots, readSlots } from '../store/slots.ts';
import type { UnknownMachine } from './manage-credentials.ts';

/** Defines what a machine holds where, as its next version. Refuses what {@link decidePlanogram} refuses. */
export async function definePlanogram(
  tx: Tx,
  machineId: string,
  slots: readonly SlotDraft[],
  now: Instant,
): Promise<Result<Planogram, PlanogramRefusal | UnknownMachine>> {
  const machine = await lockMachine(tx, machineId);
  const currency = machine === undefined ? undefined : await readCurrency(tx, machine.siteId);
  if (machine === undefined || currency === undefined) return refuse({ kind: 'unknown-machine' });
  const decided = await decideSlots(tx, slots, currency);
  return decided.ok ? accept(await savePlanogram(tx, machine, decided.value, currency, now)) : decided;
}

export async function decideSlots(tx: Tx, slots: readonly SlotDraft[], currency: string) {
  const productIds = [...new Set(slots.map(({ productId }) => productId))];
  return decidePlanogram(slots, currency, await readProducts(tx, productIds));
}

/** Writes the next version of a machine that this transaction has locked, or made, of slots that may be so. */
export async function savePlanogram(
  tx: Tx,
  machine: Machine,
  slots: readonly SlotDraft[],
  currency: string,
  now: Instant,
): Promise<Planogram> {
  const version = machine.planogramVersion + 1;
  const next = { ...machine, planogramVersion: version, updatedAt: now };
  await updateMachine(tx, next);
  await insertPlanogram(tx, next, now);
  await insertSlots(tx, { machineId: machine.id, version }, slots, currency);
  const planogram = { machineId: machine.id, version, slots: await readSlots(tx, machine.id, version) };
  tx.append([said('fleet.planogram-defined.v1', machine.id, { ...planogram, siteId: machine.siteId })]);
  return planogram;
}
