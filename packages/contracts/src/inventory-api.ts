import { type Static, Type } from 'typebox';
import { CLOSED, InstantText, Literals, MoneySchema, Page, PageQuery, PriceSchema, Quantity, Uuid } from './common.ts';
import { UNIT_STATES, WASTE_REASONS } from './inventory.ts';

/** The most units that one request throws out by their ids. */
export const WASTE_UNITS_MAX = 1_000;

export const ReceiptDraft = Type.Object(
  {
    siteId: Uuid,
    productId: Uuid,
    quantity: Quantity,
    madeAt: Type.Optional(
      Type.String({
        format: 'date-time',
        maxLength: 40,
        description: 'RFC 3339; now, unless given; not in the future',
      }),
    ),
    unitCost: Type.Optional(PriceSchema),
  },
  CLOSED,
);
export type ReceiptDraft = Static<typeof ReceiptDraft>;

export const ReceiptView = Type.Object({ batchId: Uuid, quantity: Type.Integer() }, CLOSED);
export type ReceiptView = Static<typeof ReceiptView>;

export const StockQuery = Type.Object({ siteId: Uuid }, CLOSED);

export const StockLevel = Type.Object(
  {
    productId: Uuid,
    available: Type.Integer({ description: 'Fresh and free at this moment' }),
    held: Type.Integer(),
    allocated: Type.Integer(),
  },
  CLOSED,
);
export type StockLevel = Static<typeof StockLevel>;

export const StockView = Type.Object({ items: Type.Array(StockLevel) }, CLOSED);

export const UnitQuery = Type.Object(
  {
    ...PageQuery.properties,
    siteId: Type.Optional(Uuid),
    productId: Type.Optional(Uuid),
    state: Type.Optional(Literals(UNIT_STATES)),
  },
  CLOSED,
);
export type UnitQuery = Static<typeof UnitQuery>;

export const UnitView = Type.Object(
  {
    id: Uuid,
    productId: Uuid,
    siteId: Uuid,
    batchId: Uuid,
    madeAt: InstantText,
    staleAt: Type.Union([InstantText, Type.Null()], { description: 'null: does not go stale' }),
    state: Literals(UNIT_STATES),
    orderId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type UnitView = Static<typeof UnitView>;

export const UnitPage = Page(UnitView);

export const UnitHistoryView = Type.Object(
  {
    ...UnitView.properties,
    history: Type.Array(
      Type.Object(
        {
          state: Literals(UNIT_STATES),
          at: InstantText,
          orderId: Type.Optional(Uuid),
          reason: Type.Optional(Type.String()),
        },
        CLOSED,
      ),
    ),
  },
  CLOSED,
);
export type UnitHistoryView = Static<typeof UnitHistoryView>;

export const SWEEP_KINDS = ['stale', 'closing'] as const;
export type SweepKind = (typeof SWEEP_KINDS)[number];

export const SweepDraft = Type.Object({ siteId: Uuid, kind: Literals(SWEEP_KINDS) }, CLOSED);
export type SweepDraft = Static<typeof SweepDraft>;

export const DiscardedView = Type.Object({ discarded: Type.Integer() }, CLOSED);

export const WasteDraft = Type.Object(
  {
    unitIds: Type.Array(Uuid, { minItems: 1, maxItems: WASTE_UNITS_MAX, uniqueItems: true }),
    reason: Literals(['damaged', 'stale', 'other']),
  },
  CLOSED,
);
export type WasteDraft = Static<typeof WasteDraft>;

const DAY_OR_MOMENT = {
  pattern: '^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d))?$',
  maxLength: 40,
};

export const WasteQuery = Type.Object(
  {
    siteId: Uuid,
    from: Type.Optional(
      Type.String({ ...DAY_OR_MOMENT, description: "A day by the site's calendar, or an RFC 3339 moment" }),
    ),
    to: Type.Optional(
      Type.String({ ...DAY_OR_MOMENT, description: 'A day, which still counts, or a moment, which does not' }),
    ),
  },
  CLOSED,
);
export type WasteQuery = Static<typeof WasteQuery>;

export const WasteView = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        { productId: Uuid, reason: Literals(WASTE_REASONS), units: Type.Integer(), cost: MoneySchema },
        CLOSED,
      ),
    ),
  },
  CLOSED,
);
export type WasteView = Static<typeof WasteView>;
