import { accept, type Result, refuse } from '@provender/kernel';

/** Which machine somebody wants: the one named, or whichever is free, at a site or anywhere. */
export type Wish = { readonly siteId: string | null; readonly machineId: string | null };

type Caller = { readonly kind: 'user' | 'machine'; readonly id: string };

/**
 * What a caller may wish for. A machine works for itself alone, whether or not it names itself: it is refused
 * (`not-itself`) where it names another.
 */
export function wishOf(
  caller: Caller,
  { siteId, machineId }: { readonly siteId?: string; readonly machineId?: string },
): Result<Wish, { readonly kind: 'not-itself' }> {
  const wish = { siteId: siteId ?? null, machineId: machineId ?? null };
  if (caller.kind === 'user') return accept(wish);
  if (machineId !== undefined && machineId !== caller.id) return refuse({ kind: 'not-itself' });
  return accept({ ...wish, machineId: caller.id });
}
