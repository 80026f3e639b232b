import type { SiteDraft } from '@provender/contracts';
import { accept, type Result } from '@provender/kernel';
import type { Tx } from '@provender/platform';
import type { Invalid } from '../domain/fault.ts';
import { type Site, siteDefined, siteFrom } from '../domain/site.ts';
import { insertSite, readSite } from '../store.ts';

/**
 * Opens a site under the id given. Refuses what {@link siteFrom} refuses. The same id again gives the site as it stands
 * and changes nothing.
 */
export async function defineSite(tx: Tx, id: string, draft: SiteDraft): Promise<Result<Site, Invalid>> {
  const made = siteFrom(id, draft);
  if (!made.ok) return made;
  if (!(await insertSite(tx, made.value))) return accept((await readSite(tx, id)) ?? made.value);
  tx.append([siteDefined(made.value)]);
  return made;
}
