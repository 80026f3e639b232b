import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWarehouseWorld, partnerOrderReset, stockRequested, type WarehouseWorld } from './warehouse-world.ts';

const ONE = '01900000-0000-7000-8000-000000000110';
const TWO = '01900000-0000-7000-8000-000000000120';
const THREE = '01900000-0000-7000-8000-000000000130';

describe('Partner orders that compete for stock', () => {
  let world: WarehouseWorld;
  beforeAll(async () => {
    world = await openWarehouseWorld({ w1: { SUGAR: 3 } });
    await world.sync();
  });
  afterAll(() => world.close());

  test('given a reset between requests in one set, when they are decided, then whoever asks after it finds its stock', async () => {
    const outcomes = async (from: number) =>
      (await world.said()).slice(from).map(({ type, subject, data }) => {
        const { attempt } = data as { attempt: number };
        return [subject, attempt, type.includes('allocated')];
      });
    const before = (await world.said()).length;
    // Three are free. One order takes all of it, is reset and asks again; another asks after the reset.
    await world.hear([
      stockRequested(ONE, { SUGAR: 3 }),
      partnerOrderReset(ONE),
      stockRequested(TWO, { SUGAR: 2 }),
      stockRequested(ONE, { SUGAR: 1 }, 2),
    ]);
    expect(await outcomes(before)).toEqual([
      [ONE, 1, true],
      [TWO, 1, true],
      [ONE, 2, true],
    ]);
    expect((await world.levels('w1'))['SUGAR']).toEqual([3, 3, 0]);
    // What was given before is asked for after its reset, in one set.
    await world.hear([partnerOrderReset(TWO), partnerOrderReset(ONE, 2), stockRequested(THREE, { SUGAR: 3 })]);
    expect(await outcomes(before + 3)).toEqual([[THREE, 1, true]]);
  });
});
