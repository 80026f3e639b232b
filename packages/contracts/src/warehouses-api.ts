import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, Page, Quantity, Uuid } from './common.ts';
import { OUTSIDE_ID_LENGTH_MAX } from './warehouses.ts';

const SyncedAt = Type.Optional({
  ...InstantText,
  description: 'As of when the quantities are; absent before the first',
});
const StaleSince = Type.Optional({
  ...InstantText,
  description: 'Since when the source cannot be read; absent while it can',
});
const MissingSince = Type.Optional({
  ...InstantText,
  description: 'Since when the source lists it no longer; its last quantity stands, and none of it is free',
});

/** How old a mirror is. */
const mirrorAge = { syncedAt: SyncedAt, staleSince: StaleSince };

export const WarehouseView = Type.Object(
  {
    id: Type.String({ description: 'As the source calls it' }),
    name: Type.String(),
    items: Type.Integer({ description: 'How many items it lists' }),
    missingSince: MissingSince,
  },
  CLOSED,
);
export type WarehouseView = Static<typeof WarehouseView>;

export const WarehousePage = Type.Object({ ...Page(WarehouseView).properties, ...mirrorAge }, CLOSED);

export const WarehouseParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: OUTSIDE_ID_LENGTH_MAX, format: 'text-line' }) },
  CLOSED,
);

export const WarehouseItemView = Type.Object(
  {
    sku: Type.String(),
    name: Type.String(),
    quantity: Type.Integer({ description: 'As the source says' }),
    allocated: Type.Integer({
      description: 'Set aside here, for partner orders and transfers; the source knows nothing of it',
    }),
    available: Type.Integer({ description: 'What is still free' }),
    missingSince: MissingSince,
  },
  CLOSED,
);
export type WarehouseItemView = Static<typeof WarehouseItemView>;

export const WarehouseStockPage = Type.Object({ ...Page(WarehouseItemView).properties, ...mirrorAge }, CLOSED);

export const WAREHOUSE_MOVEMENT_KINDS = ['synced', 'allocated', 'released', 'transferred'] as const;
export type WarehouseMovementKind = (typeof WAREHOUSE_MOVEMENT_KINDS)[number];

export const WarehouseMovementView = Type.Object(
  {
    sku: Type.String(),
    at: InstantText,
    kind: Literals(WAREHOUSE_MOVEMENT_KINDS),
    quantityChange: Type.Integer(),
    allocatedChange: Type.Integer(),
    quantity: Type.Integer({ description: 'What stood there then' }),
    allocated: Type.Integer({ description: 'What was set aside then' }),
    reference: Type.Optional({ ...Uuid, description: 'The partner order, or the batch that a transfer made' }),
  },
  CLOSED,
);
export type WarehouseMovementView = Static<typeof WarehouseMovementView>;

export const WarehouseMovementPage = Page(WarehouseMovementView);

export const WarehouseSyncView = Type.Object(
  {
    ...mirrorAge,
    warehouses: Type.Integer(),
    items: Type.Integer(),
    changed: Type.Integer({ description: 'Quantities that are others than before' }),
    missing: Type.Integer({ description: 'Items that the source lists no longer' }),
  },
  CLOSED,
);
export type WarehouseSyncView = Static<typeof WarehouseSyncView>;

export const TransferDraft = Type.Object(
  {
    siteId: Uuid,
    productId: Uuid,
    quantity: Quantity,
    madeAt: Type.Optional(
      Type.String({
        format: 'date-time',
        maxLength: 40,
        description: 'RFC 3339; the time of the transfer, unless given; not in the future',
      }),
    ),
  },
  CLOSED,
);
export type TransferDraft = Static<typeof TransferDraft>;

export const TransferView = Type.Object(
  { batchId: Uuid, warehouseId: Type.String(), sku: Type.String(), quantity: Type.Integer() },
  CLOSED,
);
export type TransferView = Static<typeof TransferView>;
