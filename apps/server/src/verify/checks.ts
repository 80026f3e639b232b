import type { ContextName } from '@provender/contracts';
import { effectChecks } from './effect-checks.ts';
import { fleetChecks } from './fleet-checks.ts';
import { logChecks } from './log-checks.ts';
import { moneyChecks } from './money-checks.ts';
import { notificationChecks } from './notification-checks.ts';
import { orderChecks } from './order-checks.ts';
import { profileChecks } from './profile-checks.ts';
import { unitChecks } from './unit-checks.ts';
import { warehouseChecks } from './warehouse-checks.ts';

/**
 * One promise, or a part of one, as one statement that gives only the rows that break it.
 * A `safety` check holds at every moment; a `liveness` check holds within a named time.
 * Named parameters, where a statement uses them: `:now` and `:since` are instants, `:patience` is an interval.
 */
export type Check = {
  readonly name: string;
  readonly promise: `P${number}`;
  readonly kind: 'safety' | 'liveness';
  /** What it reads: it is left out where one of these does not stand in this database. */
  readonly contexts: readonly ContextName[];
  readonly sql: string;
};

/** The checks that can be made where these contexts stand. Each is proven able to fail by a planted violation. */
export function checksFor(present: readonly ContextName[]): Check[] {
  const all = [
    ...unitChecks,
    ...moneyChecks,
    ...orderChecks,
    ...warehouseChecks,
    ...effectChecks,
    ...fleetChecks,
    ...notificationChecks,
    ...profileChecks,
    ...logChecks(present),
  ];
  return all.filter((check) => check.contexts.every((context) => present.includes(context)));
}
