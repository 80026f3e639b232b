import type { Milliseconds } from '@provender/kernel';

export type Patience = { readonly every: Milliseconds; readonly longest: Milliseconds };

/** Looks again and again, on the wall's time, until something is so or the time is up. Gives whether it is so. */
export async function untilWall(isSo: () => Promise<boolean>, { every, longest }: Patience): Promise<boolean> {
  const end = Date.now() + longest;
  while (!(await isSo())) {
    if (Date.now() >= end) return false;
    await new Promise((resolve) => {
      setTimeout(resolve, every);
    });
  }
  return true;
}
