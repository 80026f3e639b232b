import type { TenderKind, TransactionKind } from '@provender/contracts';
import type { Money } from '@provender/kernel';

/** One movement of an amount from one account to another. It cannot be out of balance: there is only one amount. */
export type Transaction = {
  readonly id: string;
  readonly kind: TransactionKind;
  /** The order, the site and the tender of a capture or refund; null for a deposit. */
  readonly orderId: string | null;
  readonly siteId: string | null;
  readonly tender: TenderKind | null;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amount: Money;
  /** The hold that is captured by it. */
  readonly holdId: string | null;
};

export type Capture = Transaction & {
  readonly kind: 'capture';
  readonly orderId: string;
  readonly siteId: string;
  readonly tender: TenderKind;
};
