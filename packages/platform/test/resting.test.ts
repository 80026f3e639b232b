import type { RecordedEvent } from '@provender/contracts';
import { afterEach, describe, expect, test } from 'vitest';
import { type OpenContext, reactInOneGo, runReactions, type Tx } from '../src/index.ts';
import { openTestContext, type TestContext } from '../src/testing/index.ts';
import { registered, type Toy, toyModule } from './toy-context.ts';

const LONG_MILLISECONDS = 3_600_000;

let open: TestContext<Toy> | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** A context that notes the subjects of each set that it gets, and rests for an hour after it. */
async function resting(sets: string[][]): Promise<TestContext<Toy>> {
  const reactions: OpenContext['reactions'] = reactInOneGo(
    ['identity.user-registered.v1', 'identity.roles-changed.v1'],
    async (events) => void sets.push(events.map(({ subject }) => subject)),
  );
  open = await openTestContext(toyModule({ extra: { reactions, restMilliseconds: LONG_MILLISECONDS } }));
  return open;
}

describe('a consumer that rests between its sets', () => {
  test('given that somebody waits for it, when something is said, then it does not rest', async () => {
    const sets: string[][] = [];
    const context = await resting(sets);
    await context.hear([registered('ann')]);
    await context.hear([registered('bob')]);
    expect(sets).toEqual([['ann'], ['bob']]);
  });

  test('given that it rests, when it is told to stop, then it stops at once', async () => {
    const context = await resting([]);
    await context.hear([registered('ann')]);
    // The rest would last for an hour.
    await expect(context.running.stop()).resolves.toBeUndefined();
  });
});

describe('one reaction to events of several types', () => {
  test('given a mixed set, when it is run, then the reaction gets it whole and in order', async () => {
    const sets: string[][] = [];
    const types = ['identity.user-registered.v1', 'identity.roles-changed.v1'] as const;
    const reactions = reactInOneGo(types, async (events) => void sets.push(events.map(({ type }) => type)));
    const mixed = [types[1], types[0], types[1]].map((type, index): RecordedEvent => {
      return { ...registered(`${index}`), type, id: `${index}`, source: 'identity', position: index + 1, time: '' };
    });
    const tx: Tx = { query: () => Promise.reject(new Error('Nothing is asked')), append: () => {} };
    await runReactions(reactions, mixed, tx);
    expect(sets).toEqual([[types[1], types[0], types[1]]]);
  });
});
