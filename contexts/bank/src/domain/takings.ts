import type { TenderKind } from '@provender/contracts';
import { accept, type Instant, instant, parseInstant, type Result, refuse } from '@provender/kernel';

/** What moved at a site by one tender in one currency, as the ledger sums it. */
export type TakingsSum = {
  readonly kind: 'capture' | 'refund';
  readonly tender: TenderKind;
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
};

/** What a site took by one tender in one currency, in minor units. */
export type Takings = {
  readonly tender: TenderKind;
  readonly currency: string;
  readonly captures: number;
  readonly captured: number;
  readonly refunds: number;
  readonly refunded: number;
};

/** Puts captures and refunds of one tender and currency beside each other, in the order of the sums. */
export function takingsOf(sums: readonly TakingsSum[]): Takings[] {
  const takings = new Map<string, Takings>();
  for (const { kind, tender, currency, count, amount } of sums) {
    const key = `${tender} ${currency}`;
    const before = takings.get(key) ?? { tender, currency, captures: 0, captured: 0, refunds: 0, refunded: 0 };
    takings.set(
      key,
      kind === 'capture'
        ? { ...before, captures: count, captured: amount }
        : { ...before, refunds: count, refunded: amount },
    );
  }
  return [...takings.values()];
}

/** A stretch of business time, from the first moment until just before the second; each end may be open. */
export type Stretch = { readonly from?: Instant | undefined; readonly to?: Instant | undefined };

/** What the year 9999 ends with: an offset can push a written moment just beyond what the database reads. */
const INSTANT_MAX = instant(Date.UTC(9999, 11, 31, 23, 59, 59, 999));

/** Reads a stretch from RFC 3339 texts. Refuses `no-stretch` where it does not end after it begins. */
export function stretchOf(
  from: string | undefined,
  to: string | undefined,
): Result<Stretch, { readonly kind: 'no-stretch' }> {
  const stretch = { from: momentOf(from), to: momentOf(to) };
  if (stretch.from !== undefined && stretch.to !== undefined && stretch.from >= stretch.to) {
    return refuse({ kind: 'no-stretch' });
  }
  return accept(stretch);
}

function momentOf(text: string | undefined): Instant | undefined {
  const moment = text === undefined ? undefined : parseInstant(text);
  return moment === undefined || moment <= INSTANT_MAX ? moment : INSTANT_MAX;
}
