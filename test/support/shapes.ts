import { kafkaMissing } from '@provender/platform';
import { describe } from 'vitest';
import { startSplitTown } from './split-town.ts';
import { startTestServer } from './test-server.ts';
import type { StartTown } from './town-shape.ts';

/**
 * A story that must come out the same in both shapes: all contexts in one process on one database, and each with a
 * server and a database of its own behind the gateway.
 */
export function describeInBothShapes(name: string, story: (startTown: StartTown) => void): void {
  describe(`${name}, in one process`, () => {
    story(startTestServer);
  });
  const carrier = kafkaMissing() === undefined ? 'kafka' : 'stand-in';
  describe(`${name}, each context apart, over ${carrier}`, () => {
    story((options) => startSplitTown(carrier, options));
  });
}
