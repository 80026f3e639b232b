import { afterEach, beforeEach, expect, vi } from 'vitest';
import { type MakeTransport, openWorld, type World } from '../contract-world.ts';

type UnderTest = { readonly name: string; readonly makeTransport: MakeTransport };

export const WAIT = { timeout: 10_000, interval: 20 };

let current: UnderTest | undefined;
let open: World | undefined;

/** Each test gets a world of its own, with transports of this kind. */
export function putUnderTest(wanted: UnderTest): void {
  current = wanted;
  beforeEach(async () => {
    open = await openWorld(wanted.makeTransport);
  });
  afterEach(async () => {
    await open?.close();
    open = undefined;
  });
}

export function underTest(): UnderTest {
  if (current === undefined) throw new Error('No transport is under test: call transportContract');
  return current;
}

export function world(): World {
  if (open === undefined) throw new Error('The world is open during a test only');
  return open;
}

/** Waits until the consumer has come to the head of the log. */
export async function consumedAll(): Promise<void> {
  await vi.waitFor(async () => expect(await world().cursor()).toBe(await world().head('identity')), WAIT);
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`);
}
