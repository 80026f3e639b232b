import { DAY, HOUR, type Milliseconds, MINUTE, SECOND } from '@provender/kernel';

/** How long a message waits after each failure, wall time; after the last one it has failed for good. */
const WAITS: readonly Milliseconds[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
];

/** Tries of a message before it is given up. */
export const TRIES_MAX = WAITS.length + 1;

/** Of a wait, up and down: those who failed together do not come back together. */
const JITTER = 0.2;

/** A webhook that has taken nothing for so long is disabled. */
export const LASTING_FAILURE: Milliseconds = 3 * DAY;

/**
 * Takes how often a message has been tried, and a number from 0 to below 1 by chance. Gives how long it waits;
 * undefined where it is to be given up.
 */
export function waitAfter(tries: number, chance: number): Milliseconds | undefined {
  const wait = WAITS[tries - 1];
  return wait === undefined ? undefined : Math.round(wait * (1 - JITTER + 2 * JITTER * chance));
}

const LANE_REST_FIRST: Milliseconds = SECOND;
const LANE_REST_MAX: Milliseconds = MINUTE;

/** How long a door that does not open is left alone, after so many failures one after the other. */
export function laneRest(failures: number): Milliseconds {
  return Math.min(LANE_REST_MAX, LANE_REST_FIRST * 2 ** Math.min(failures - 1, 10));
}
