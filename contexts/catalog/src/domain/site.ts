import type { Said, SiteDraft, SiteKind, SitePatch, SiteView } from '@provender/contracts';
import { accept, isTimeZone, parseTimeOfDay, type Result, refuse } from '@provender/kernel';
import { currencyFaults, type Fault, type Invalid } from './fault.ts';

/** A place that sells or stores: its clock, its hours and its money. */
export type Site = {
  readonly id: string;
  readonly name: string;
  readonly kind: SiteKind;
  readonly timeZone: string;
  readonly opensAt: string;
  readonly closesAt: string;
  readonly currency: string;
  readonly freeVend: boolean;
};

/** A new site. Refuses an unknown time zone or currency, and a closing that is not after the opening. */
export function siteFrom(id: string, draft: SiteDraft): Result<Site, Invalid> {
  const { name, kind, timeZone, opensAt, closesAt, currency, freeVend } = draft;
  return checkedSite({ id, name, kind, timeZone, opensAt, closesAt, currency, freeVend: freeVend ?? false });
}

/** The site with only the named members changed; null clears. Refuses what {@link siteFrom} refuses. */
export function revisedSite(site: Site, patch: SitePatch): Result<Site, Invalid> {
  const { freeVend = site.freeVend, ...rest } = patch;
  return checkedSite({ ...site, ...rest, freeVend: freeVend ?? false });
}

function checkedSite(site: Site): Result<Site, Invalid> {
  const faults = [...hoursFaults(site), ...currencyFaults('/currency', site.currency)];
  return faults.length === 0 ? accept(site) : refuse({ kind: 'invalid', faults });
}

function hoursFaults({ timeZone, opensAt, closesAt }: Site): Fault[] {
  const faults: Fault[] = [];
  if (!isTimeZone(timeZone)) faults.push({ pointer: '/timeZone', detail: 'is no IANA time zone' });
  const opening = parseTimeOfDay(opensAt);
  const closing = parseTimeOfDay(closesAt);
  if (opening === undefined || opening === 1440) faults.push({ pointer: '/opensAt', detail: 'is no time of day' });
  if (closing === undefined) faults.push({ pointer: '/closesAt', detail: 'is no time of day' });
  if (opening !== undefined && closing !== undefined && opening >= closing) {
    faults.push({ pointer: '/closesAt', detail: 'must be later than opensAt' });
  }
  return faults;
}

export function siteDefined(site: Site): Said {
  const { id: siteId, ...rest } = site;
  return { type: 'catalog.site-defined.v1', key: siteId, subject: siteId, data: { siteId, ...rest } };
}

export function siteView(site: Site): SiteView {
  return { ...site };
}
