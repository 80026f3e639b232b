import { isDeepStrictEqual } from 'node:util';
import type { SitePatch } from '@provender/contracts';
import { type Result, refuse } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { Invalid } from '../domain/fault.ts';
import { revisedSite, type Site, siteDefined } from '../domain/site.ts';
import { lockSite, updateSite } from '../store.ts';

export type UnknownSite = { readonly kind: 'unknown-site' };

/** Changes the named members of a site. Refuses an unknown site, and values that cannot stand with the others. */
export async function reviseSite(tx: Tx, id: string, patch: SitePatch): Promise<Result<Site, Invalid | UnknownSite>> {
  const site = await lockSite(tx, id);
  if (site === undefined) return refuse({ kind: 'unknown-site' });
  const revised = revisedSite(site, patch);
  if (!revised.ok || isDeepStrictEqual(site, revised.value)) return revised;
  await updateSite(tx, revised.value);
  tx.append([siteDefined(revised.value)]);
  return revised;
}
