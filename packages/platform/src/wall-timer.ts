/**
 * Does something every so many milliseconds of wall time until the given function is called. For waits on the outside,
 * that a fast or a test's business clock must not shorten; business work is a row that falls due (timers.ts).
 */
export function everyWall(milliseconds: number, work: () => void): () => void {
  const timer = setInterval(work, milliseconds);
  return () => clearInterval(timer);
}

