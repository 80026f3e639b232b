import type { Milliseconds } from '@provender/kernel';

/**
 * Does something every so many milliseconds of wall time until the given function is called. For waits on the outside,
 * that a fast or a test's business clock must not shorten; business work is a row that falls due (timers.ts).
 */
export function everyWall(milliseconds: number, work: () => void): () => void {
  const timer = setInterval(work, milliseconds);
  return () => clearInterval(timer);
}

/** Does something once after so many milliseconds of wall time, unless the given function is called before. */
export function afterWall(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds);
  return () => clearTimeout(timer);
}

/** The wall time, in milliseconds since 1970: for what the outside is told and judges by its own clock. */
export function wallNow(): number {
  return Date.now();
}

/** Starts to measure wall time; the given function says how much of it has gone by. */
export function stopwatch(): () => Milliseconds {
  const begun = performance.now();
  return () => performance.now() - begun;
}
