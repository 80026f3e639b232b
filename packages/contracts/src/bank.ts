import { type Static, Type } from 'typebox';
import { CLOSED, Literals, MoneySchema, Uuid } from './common.ts';
import { TENDER_KINDS } from './orders.ts';

export const AccountOpened = Type.Object({ accountId: Uuid, userId: Uuid, balance: MoneySchema }, CLOSED);
export type AccountOpened = Static<typeof AccountOpened>;

export const DepositReceived = Type.Object({ accountId: Uuid, amount: MoneySchema, balance: MoneySchema }, CLOSED);
export type DepositReceived = Static<typeof DepositReceived>;

/** The money of the order is the site's. Ledger entries of both sides are written. */
export const PaymentCaptured = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    amount: MoneySchema,
    tender: Literals(TENDER_KINDS),
    accountId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type PaymentCaptured = Static<typeof PaymentCaptured>;

export const DECLINE_REASONS = ['insufficient-funds', 'too-late', 'currency-mismatch'] as const;
export type DeclineReason = (typeof DECLINE_REASONS)[number];

export const PaymentDeclined = Type.Object({ orderId: Uuid, siteId: Uuid, reason: Literals(DECLINE_REASONS) }, CLOSED);
export type PaymentDeclined = Static<typeof PaymentDeclined>;

export const PaymentRefunded = Type.Object(
  {
    orderId: Uuid,
    siteId: Uuid,
    amount: MoneySchema,
    accountId: Type.Optional(Uuid),
  },
  CLOSED,
);
export type PaymentRefunded = Static<typeof PaymentRefunded>;

/** Key and subject: the account twice for what is about an account, the site and the order for the rest. */
export const bankEvents = {
  'bank.account-opened.v1': AccountOpened,
  'bank.deposit-received.v1': DepositReceived,
  'bank.payment-captured.v1': PaymentCaptured,
  'bank.payment-declined.v1': PaymentDeclined,
  'bank.payment-refunded.v1': PaymentRefunded,
} as const;
