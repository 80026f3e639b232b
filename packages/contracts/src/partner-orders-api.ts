import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, Page, PageQuery, Uuid } from './common.ts';
import { PARTNER_ORDER_STATUSES } from './partner-orders.ts';
import { ItemShortage, STOCK_REFUSALS, WarehouseAllocation } from './warehouses.ts';

/** Why a partner order failed: a rule that its own lines break, or what the warehouses could not give. */
export const PARTNER_ORDER_REASONS = ['no-items', 'quantity-not-whole', 'item-twice', ...STOCK_REFUSALS] as const;
export type PartnerOrderReason = (typeof PARTNER_ORDER_REASONS)[number];

/** As the partner wrote it: also a quantity that no order may have. */
export const PartnerOrderItem = Type.Object({ sku: Type.String(), quantity: Type.Number() }, CLOSED);
export type PartnerOrderItem = Static<typeof PartnerOrderItem>;

export const PartnerOrderView = Type.Object(
  {
    id: Uuid,
    number: Type.String({ description: "The partner's own number" }),
    status: Literals(PARTNER_ORDER_STATUSES),
    items: Type.Array(PartnerOrderItem),
    totalQuantity: Type.Number(),
    processing: Type.Boolean({ description: 'It waits for the answer of the warehouses' }),
    importedAt: InstantText,
    processedAt: Type.Optional(InstantText),
    reason: Type.Optional(Literals(PARTNER_ORDER_REASONS)),
    shortages: Type.Optional(Type.Array(ItemShortage)),
    allocations: Type.Optional(Type.Array(WarehouseAllocation)),
  },
  CLOSED,
);
export type PartnerOrderView = Static<typeof PartnerOrderView>;

export const PartnerOrderPage = Page(PartnerOrderView);

export const PartnerOrderQuery = Type.Object(
  { ...PageQuery.properties, status: Type.Optional(Literals(PARTNER_ORDER_STATUSES)) },
  CLOSED,
);
export type PartnerOrderQuery = Static<typeof PartnerOrderQuery>;

/** The most lines that a report of an import names; it counts all. */
export const REPORTED_LINES_MAX = 100;

export const PartnerImportView = Type.Object(
  {
    imported: Type.Integer({ description: 'New orders' }),
    known: Type.Integer({ description: 'Orders that were here already, unchanged' }),
    changed: Type.Integer({
      description: 'Orders that read differently from what was imported; they stay as they are',
    }),
    broken: Type.Integer({ description: 'Lines of the feed that are no orders' }),
    reports: Type.Array(
      Type.Object(
        {
          place: Type.Integer({ description: 'Which order of the feed, counted from 0' }),
          number: Type.Optional(Type.String()),
          kind: Literals(['changed', 'broken']),
          detail: Type.String(),
        },
        CLOSED,
      ),
      { description: `What was not taken, and why; the first ${REPORTED_LINES_MAX}` },
    ),
  },
  CLOSED,
);
export type PartnerImportView = Static<typeof PartnerImportView>;

/** How far the processing of many orders has come. `waiting` is 0 at its end. */
export const PartnerRunView = Type.Object(
  {
    id: Uuid,
    startedAt: InstantText,
    complete: Type.Boolean({ description: 'Whether it has taken all that were new; until then `total` grows' }),
    total: Type.Integer({ description: 'Orders that this run has taken' }),
    processed: Type.Integer(),
    failed: Type.Integer(),
    dropped: Type.Integer({ description: 'Were reset before they were decided' }),
    waiting: Type.Integer(),
  },
  CLOSED,
);
export type PartnerRunView = Static<typeof PartnerRunView>;

export const PartnerResetView = Type.Object(
  { reset: Type.Integer({ description: 'Orders that are NEW again' }) },
  CLOSED,
);
