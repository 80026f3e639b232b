import type { MakeTransport } from './contract-world.ts';
import { putUnderTest } from './transport-contract/under-test.ts';

/**
 * What every transport must do, whatever carries the events. `makeTransport` opens one as a process would. Await it at
 * the top of a test file: the suites are those of the folder beside this file.
 */
export async function transportContract(name: string, makeTransport: MakeTransport): Promise<void> {
  putUnderTest({ name, makeTransport });
  await import('./transport-contract/order.ts');
  await import('./transport-contract/subscription.ts');
  await import('./transport-contract/exactly-once.ts');
  await import('./transport-contract/consumers.ts');
  await import('./transport-contract/poison.ts');
}
