import { type ChosenChannel, NOTICE_KINDS, type NoticeKind } from '@provender/contracts';
import type { Money } from '@provender/kernel';

/** What somebody wants to hear of by each channel, and beyond which cost of a day's waste. */
export type Preferences = {
  readonly email: readonly NoticeKind[];
  readonly webhook: readonly NoticeKind[];
  readonly wasteLimit: Money | undefined;
};

/** Where somebody has named no limit: 50 of whatever the site counts in, with two decimals. */
export const WASTE_LIMIT_USUAL = 5_000;
export const WASTE_CURRENCY_USUAL = 'EUR';

/**
 * What somebody hears of who has chosen nothing: what happens to an order, or an account, behind its owner's back.
 * Whoever places and pays for one has the answer in hand already. A webhook was made by somebody who wants to hear.
 */
export const USUAL: Preferences = {
  email: ['order-refused', 'order-status-changed', 'order-cancelled', 'order-refunded', 'money-arrived'],
  webhook: NOTICE_KINDS,
  wasteLimit: undefined,
};

/** Some kinds switched on or off; the others stay as they are. */
export type KindSwitches = { readonly [Kind in NoticeKind]?: boolean | undefined };

export type PreferencesChange = {
  readonly [Channel in ChosenChannel]?: KindSwitches | undefined;
} & { readonly wasteLimit?: Money | undefined };

/** Takes what was chosen so far and what is to change. Gives all that is chosen then. */
export function changedPreferences(now: Preferences, change: PreferencesChange): Preferences {
  return {
    email: switched(now.email, change.email),
    webhook: switched(now.webhook, change.webhook),
    wasteLimit: change.wasteLimit ?? now.wasteLimit,
  };
}

function switched(kinds: readonly NoticeKind[], switches: KindSwitches = {}): NoticeKind[] {
  return NOTICE_KINDS.filter((kind) => switches[kind] ?? kinds.includes(kind));
}

/** Says of each kind whether it is wanted. */
export function switchesOf(kinds: readonly NoticeKind[]): Record<NoticeKind, boolean> {
  return Object.fromEntries(NOTICE_KINDS.map((kind) => [kind, kinds.includes(kind)])) as Record<NoticeKind, boolean>;
}

/**
 * True where a day's waste at a site has just passed what somebody has set as the limit: counted in the currency of the
 * site, from below or at it to beyond it.
 */
export function passesLimit(
  limit: Money | undefined,
  waste: { readonly before: number; readonly after: number; readonly currency: string },
): boolean {
  if (limit !== undefined && limit.currency !== waste.currency) return false;
  const amount = limit?.amount ?? WASTE_LIMIT_USUAL;
  return waste.before <= amount && waste.after > amount;
}
