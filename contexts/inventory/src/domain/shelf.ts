import { lastClosing, type SiteHours, type SiteKind } from '@provender/contracts';
import { type Instant, MINUTE, plus } from '@provender/kernel';

/** What inventory knows of a site: its own copy. */
export type KnownSite = SiteHours & { readonly id: string; readonly kind: SiteKind; readonly currency: string };

/** What tells whether something may stay on a shelf. All units of a batch are alike in this. */
export type Keeping = {
  readonly staleAt: Instant | null;
  /** When it came to this shelf. */
  readonly shelvedAt: Instant;
  readonly keepsOvernight: boolean;
};

/** Stays on sale, or is thrown out: because it is stale, or because its day has ended. */
export type Fate = 'stays' | 'stale' | 'closing';

/** How often the shelf of a site is looked through, whatever the hour. */
export const SWEEP_EVERY = 15 * MINUTE;

/** When units made then go stale; never, where the product has no shelf life. */
export function staleAtOf(madeAt: Instant, shelfLifeMinutes: number | null): Instant | null {
  return shelfLifeMinutes === null ? null : plus(madeAt, shelfLifeMinutes * MINUTE);
}

/** From this moment on it is stale. */
export function isStale(staleAt: Instant | null, now: Instant): boolean {
  return staleAt !== null && staleAt <= now;
}

/**
 * What came to a shop before this moment belongs to a day that has ended. Null where days do not end: vending pools and
 * warehouses only lose what is stale. A site open around the clock ends its day at midnight.
 */
export function endOfDay(site: Pick<KnownSite, 'kind' | keyof SiteHours>, now: Instant): Instant | null {
  return site.kind === 'shop' ? lastClosing(site, now) : null;
}

/** What becomes of goods on a shelf. `dayEnd`: what came before it goes, unless it keeps overnight. */
export function fateOf({ staleAt, shelvedAt, keepsOvernight }: Keeping, now: Instant, dayEnd: Instant | null): Fate {
  if (isStale(staleAt, now)) return 'stale';
  return dayEnd !== null && !keepsOvernight && shelvedAt < dayEnd ? 'closing' : 'stays';
}

/** The next sweep after this moment: every site is swept at the same quarters of an hour. */
export function nextSweep(now: Instant): Instant {
  return plus(now, SWEEP_EVERY - (now % SWEEP_EVERY));
}
