import { bank, type OpenBank } from '@provender/bank';
import { catalog } from '@provender/catalog';
import type { ContextName } from '@provender/contracts';
import { fleet } from '@provender/fleet';
import { identity, type OpenIdentity } from '@provender/identity';
import { inventory } from '@provender/inventory';
import { notifications, type OpenNotifications } from '@provender/notifications';
import { orders } from '@provender/orders';
import {
  type ChangedRoles,
  type Clock,
  type ContextModule,
  type Ids,
  idle,
  type Log,
  openContext,
  openChangedRoles,
  type OpenContext,
  type RunningContext,
  type SharedPlatform,
  type Transport,
} from '@provender/platform';
import { production } from '@provender/production';

/** Every context there is, in the order in which they migrate. A process may run all or some. */
export const modules = [identity, catalog, production, inventory, orders, bank, fleet, notifications] as const;

/** The contexts that run in this process, by name. */
export type Running = ReadonlyMap<ContextName, RunningContext>;

export type System = {
  readonly contexts: Running;
  /** What these offer beside their routes; undefined where they do not run in this process. */
  readonly identity: OpenIdentity | undefined;
  readonly bank: OpenBank | undefined;
  readonly notifications: OpenNotifications | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly transport: Transport;
  /** What the caller of an older token may still be, by the changes of roles that these contexts have heard of. */
  readonly limitCaller: ChangedRoles['limited'];
  /** Starts every context. Without `timers`, whoever drives the clock runs them. */
  start(options: { readonly timers: boolean }): Promise<void>;
  /** Waits until every context has consumed all there is to consume. */
  idle(): Promise<void>;
  stop(): Promise<void>;
};

/** Opens the named contexts on one database. Nothing runs before `start`. */
export function openSystem(names: readonly ContextName[], shared: SharedPlatform): System {
  const contexts = new Map<ContextName, RunningContext>();
  const changedRoles = openChangedRoles();
  function add<Open extends OpenContext>(module: ContextModule<Open>): Open | undefined {
    if (!names.includes(module.context)) return undefined;
    const running = openContext(changedRoles.hearing(module), shared);
    contexts.set(module.context, running);
    return running.open;
  }
  const openIdentity = add(identity);
  for (const module of [catalog, production, inventory, orders]) add(module);
  const openBank = add(bank);
  add(fleet);
  const openNotifications = add(notifications);
  return {
    contexts,
    identity: openIdentity,
    bank: openBank,
    notifications: openNotifications,
    clock: shared.clock,
    ids: shared.ids,
    log: shared.log,
    transport: shared.transport,
    limitCaller: changedRoles.limited,
    async start(options) {
      for (const each of contexts.values()) await each.start(options);
      const [first] = contexts.values();
      if (first !== undefined) await changedRoles.start(first.db);
    },
    idle: () => idle(contexts),
    async stop() {
      changedRoles.stop();
      await Promise.all([...contexts.values()].map((each) => each.stop()));
      await shared.transport.close();
    },
  };
}
