import { MINUTE, SECOND } from '@provender/kernel';
import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, MoneySchema, Uuid } from './common.ts';

export const UNIT_STATES = ['available', 'held', 'allocated', 'sold', 'discarded'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

/**
 * How long units are set aside for a payment: business time, and at least so long on the wall, however fast time runs.
 */
export const HOLD_TIME = 2 * MINUTE;
export const HOLD_WALL_TIME_MIN = 10 * SECOND;

/** Which state a unit may go to from each state; sold and discarded are final. The database holds the same table. */
export const unitTransitions = {
  available: ['held', 'discarded'],
  held: ['available', 'allocated', 'sold', 'discarded'],
  allocated: ['available', 'sold', 'discarded'],
  sold: [],
  discarded: [],
} as const satisfies Record<UnitState, readonly UnitState[]>;

export const WASTE_REASONS = ['stale', 'closing', 'damaged', 'other'] as const;
export type WasteReason = (typeof WASTE_REASONS)[number];

const StaleAt = Type.Union([InstantText, Type.Null()], { description: 'null: does not go stale' });

/** Units of one batch: what a count of what is on the shelf, by age, needs to know. */
export const UnitGroup = Type.Object(
  { productId: Uuid, batchId: Uuid, staleAt: StaleAt, quantity: Type.Integer({ minimum: 1 }) },
  CLOSED,
);
export type UnitGroup = Static<typeof UnitGroup>;

export const UnitsMade = Type.Object(
  {
    siteId: Uuid,
    batchId: Uuid,
    productId: Uuid,
    quantity: Type.Integer({ minimum: 1 }),
    madeAt: InstantText,
    staleAt: StaleAt,
    unitCost: MoneySchema,
    source: Literals(['batch', 'receipt', 'transfer']),
  },
  CLOSED,
);
export type UnitsMade = Static<typeof UnitsMade>;

export const Shortage = Type.Object({ productId: Uuid, wanted: Type.Integer(), available: Type.Integer() }, CLOSED);
export type Shortage = Static<typeof Shortage>;

/** All units of the order are set aside for it until `expiresAt` (none, where everything is made to order). */
export const UnitsHeld = Type.Object(
  { orderId: Uuid, siteId: Uuid, expiresAt: InstantText, units: Type.Array(UnitGroup) },
  CLOSED,
);
export type UnitsHeld = Static<typeof UnitsHeld>;

export const HoldRefused = Type.Object({ orderId: Uuid, siteId: Uuid, shortages: Type.Array(Shortage) }, CLOSED);
export type HoldRefused = Static<typeof HoldRefused>;

/** Paid, waiting to be handed over: the hold's end no longer counts. */
export const UnitsAllocated = Type.Object({ orderId: Uuid, siteId: Uuid }, CLOSED);
export type UnitsAllocated = Static<typeof UnitsAllocated>;

/** Handed over. */
export const UnitsSold = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    units: Type.Array(Type.Object({ ...UnitGroup.properties, cost: MoneySchema }, CLOSED)),
  },
  CLOSED,
);
export type UnitsSold = Static<typeof UnitsSold>;

/** The order was paid, but its hold had ended before: the money goes back. */
export const AllocationFailed = Type.Object({ orderId: Uuid, siteId: Uuid }, CLOSED);
export type AllocationFailed = Static<typeof AllocationFailed>;

/** Back on the shelf. */
export const UnitsReleased = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    reason: Literals(['rejected', 'cancelled', 'expired']),
    units: Type.Array(UnitGroup),
  },
  CLOSED,
);
export type UnitsReleased = Static<typeof UnitsReleased>;

/** Thrown out. `wasOnShelf` tells those taken off sale from those that came back stale from an order. */
export const UnitsDiscarded = Type.Object(
  {
    siteId: Uuid,
    reason: Literals(WASTE_REASONS),
    wasOnShelf: Type.Boolean(),
    orderId: Type.Optional(Uuid),
    units: Type.Array(Type.Object({ ...UnitGroup.properties, cost: MoneySchema }, CLOSED)),
  },
  CLOSED,
);
export type UnitsDiscarded = Static<typeof UnitsDiscarded>;

/** Key: the site. Subject: the order where there is one, else the batch (made) or the site (discarded). */
export const inventoryEvents = {
  'inventory.units-made.v1': UnitsMade,
  'inventory.units-held.v1': UnitsHeld,
  'inventory.hold-refused.v1': HoldRefused,
  'inventory.units-allocated.v1': UnitsAllocated,
  'inventory.units-sold.v1': UnitsSold,
  'inventory.allocation-failed.v1': AllocationFailed,
  'inventory.units-released.v1': UnitsReleased,
  'inventory.units-discarded.v1': UnitsDiscarded,
} as const;
