import type { PlannedSlot, SlotDraft } from '@provender/contracts';
import { money } from '@provender/kernel';
import { type Query, statement } from '@provender/platform';
import type { Planogram } from '../domain/planogram.ts';

const INSERT_SLOTS = statement(
  'insert-slots',
  `INSERT INTO planned_slots
     (machine_id, version, slot, product_id, capacity, par_level, price, cash_price, currency)
   SELECT $1, $2, wanted.*, $9 FROM unnest($3::text[], $4::uuid[], $5::integer[], $6::integer[], $7::bigint[],
     $8::bigint[]) AS wanted`,
);
const SLOTS = statement(
  'slots',
  `SELECT slot, product_id AS "productId", capacity, par_level AS "parLevel", price, cash_price AS "cashPrice", currency
   FROM planned_slots WHERE machine_id = $1 AND version = $2 ORDER BY slot`,
);

type SlotRow = {
  readonly slot: string;
  readonly productId: string;
  readonly capacity: number;
  readonly parLevel: number | null;
  readonly price: number | null;
  readonly cashPrice: number | null;
  readonly currency: string;
};

export async function insertSlots(
  db: Query,
  { machineId, version }: Omit<Planogram, 'slots'>,
  slots: readonly SlotDraft[],
  currency: string,
): Promise<void> {
  await db.query(INSERT_SLOTS, [
    machineId,
    version,
    slots.map(({ slot }) => slot),
    slots.map(({ productId }) => productId),
    slots.map(({ capacity }) => capacity),
    slots.map(({ parLevel }) => parLevel ?? null),
    slots.map(({ price }) => price?.amount ?? null),
    slots.map(({ cashPrice }) => cashPrice?.amount ?? null),
    currency,
  ]);
}

/** The slots of one version, in the order of their names. */
export async function readSlots(db: Query, machineId: string, version: number): Promise<PlannedSlot[]> {
  return (await db.query<SlotRow>(SLOTS, [machineId, version])).map(slotFromRow);
}

function slotFromRow({ slot, productId, capacity, parLevel, price, cashPrice, currency }: SlotRow): PlannedSlot {
  return {
    ...{ slot, productId, capacity },
    ...(parLevel === null ? {} : { parLevel }),
    ...(price === null ? {} : { price: money(price, currency) }),
    ...(cashPrice === null ? {} : { cashPrice: money(cashPrice, currency) }),
  };
}
