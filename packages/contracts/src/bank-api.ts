import { type Static, Type } from 'typebox';
import { AMOUNT_MAX, CLOSED, Currency, InstantText, Literals, MoneySchema, Page, Uuid } from './common.ts';
import { TENDER_KINDS } from './orders.ts';

/** Why money moved: in from outside, from a buyer to a site, or the same way back. */
export const TRANSACTION_KINDS = ['deposit', 'capture', 'refund'] as const;
export type TransactionKind = (typeof TRANSACTION_KINDS)[number];

export const AccountView = Type.Object(
  {
    id: Uuid,
    balance: MoneySchema,
    held: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Set aside for what is not yet captured' }),
    available: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'The balance less what is held' }),
  },
  CLOSED,
);
export type AccountView = Static<typeof AccountView>;

export const EntryView = Type.Object(
  {
    id: Uuid,
    kind: Literals(TRANSACTION_KINDS),
    amount: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Negative where money left the account' }),
    balance: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Of the account after this entry' }),
    orderId: Type.Optional(Uuid),
    siteId: Type.Optional(Uuid),
    at: InstantText,
  },
  CLOSED,
);
export type EntryView = Static<typeof EntryView>;

export const EntryPage = Page(EntryView);

export const DepositDraft = Type.Object(
  {
    amount: Type.Object({ amount: Type.Integer({ minimum: 1, maximum: AMOUNT_MAX }), currency: Currency }, CLOSED),
    accountId: Type.Optional(
      Type.String({ format: 'uuid', description: "A manager may name somebody's; else one's own" }),
    ),
  },
  CLOSED,
);
export type DepositDraft = Static<typeof DepositDraft>;

export const DepositView = Type.Object(
  { id: Uuid, accountId: Uuid, amount: MoneySchema, balance: MoneySchema },
  CLOSED,
);
export type DepositView = Static<typeof DepositView>;

export const TakingsQuery = Type.Object(
  {
    siteId: Uuid,
    from: Type.Optional(Type.String({ format: 'date-time', description: 'From this moment on' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'Until just before this moment' })),
  },
  CLOSED,
);
export type TakingsQuery = Static<typeof TakingsQuery>;

export const TakingsItem = Type.Object(
  {
    tender: Literals(TENDER_KINDS),
    captures: Type.Integer(),
    captured: MoneySchema,
    refunds: Type.Integer(),
    refunded: MoneySchema,
    net: Type.Object(MoneySchema.properties, { ...CLOSED, description: 'Captured less refunded' }),
  },
  CLOSED,
);
export type TakingsItem = Static<typeof TakingsItem>;

export const TakingsView = Type.Object(
  {
    siteId: Uuid,
    from: Type.Optional(InstantText),
    to: Type.Optional(InstantText),
    items: Type.Array(TakingsItem, { description: 'One per tender and currency in which money moved' }),
  },
  CLOSED,
);
export type TakingsView = Static<typeof TakingsView>;
