/**
 * Does something every so many milliseconds of wall time until the given function is called. For waits on the outside,
 * that a fast or a test's business clock must not shorten; business work is a row that falls due (timers.ts).
 */
export function everyWall(milliseconds: number, work: () => void): () => void {
  const timer = setInterval(work, milliseconds);
  return () => clearInterval(timer);
}

/** Looks again and again, on the wall's time, until something is so or the time is up. Gives whether it is so. */
export async function untilWall(
  isSo: () => Promise<boolean>,
  { every, longest }: { readonly every: number; readonly longest: number },
): Promise<boolean> {
  const end = Date.now() + longest;
  while (!(await isSo())) {
    if (Date.now() >= end) return false;
    await new Promise((resolve) => {
      setTimeout(resolve, every);
    });
  }
  return true;
}
