import type { ScheduleDraft } from '@provender/contracts';
import { accept, type Instant, type Result, refuse } from '@provender/kernel';
import { scheduleTimer, type Tx } from '@provender/platform';
import type { KnownProduct, KnownSite } from '../domain/known.ts';
import { type Invalid, type Schedule, scheduleFrom } from '../domain/schedule.ts';
import { nextSlot } from '../domain/slots.ts';
import { insertSchedule, readKnownSchedule, readProduct, readSite } from '../store.ts';
import { BAKE } from './bake-due.ts';

export type Unbakeable = { readonly kind: 'unknown-site' | 'unknown-product' | 'not-kept-as-units' };

/**
 * Sets up a schedule under the id given, from this moment on. Refuses an `every` out of bounds, a site or product that
 * is not known, and a product that is made to order. The same id again gives the schedule as it stands.
 */
export async function defineSchedule(
  tx: Tx,
  id: string,
  draft: ScheduleDraft,
  now: Instant,
): Promise<Result<Schedule, Invalid | Unbakeable>> {
  const known = await readKnownSchedule(tx, id);
  if (known !== undefined) return accept(known);
  const schedule = scheduleFrom(id, draft, now);
  if (!schedule.ok) return schedule;
  const bakeable = await readBakeable(tx, draft);
  if (!bakeable.ok) return bakeable;
  await insertSchedule(tx, schedule.value);
  const dueAt = nextSlot(bakeable.value.site, schedule.value.everyMilliseconds, now);
  await scheduleTimer(tx, { name: BAKE, key: id, dueAt });
  return schedule;
}

/** The site and the product, where units of it can be baked there. */
export async function readBakeable(
  tx: Tx,
  { siteId, productId }: { readonly siteId: string; readonly productId: string },
): Promise<Result<{ readonly site: KnownSite; readonly product: KnownProduct }, Unbakeable>> {
  const [site, product] = await Promise.all([readSite(tx, siteId), readProduct(tx, productId)]);
  if (site === undefined) return refuse({ kind: 'unknown-site' });
  if (product === undefined) return refuse({ kind: 'unknown-product' });
  if (product.stock !== 'unit') return refuse({ kind: 'not-kept-as-units' });
  return accept({ site, product });
}
