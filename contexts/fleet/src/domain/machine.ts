import {
  type MachineMove,
  type MachineStatus,
  type MachineStock,
  machineTransitions,
  type MachineView,
  type Said,
} from '@provender/contracts';
import { accept, formatInstant, type Instant, type Result, refuse } from '@provender/kernel';

export type Machine = {
  readonly id: string;
  readonly name: string;
  readonly siteId: string;
  readonly stock: MachineStock;
  readonly status: MachineStatus;
  readonly usageCount: number;
  /** The vend session that has the machine: there is one while it chooses or works. */
  readonly sessionId: string | null;
  readonly planogramVersion: number;
  /** What its program signs in with; null once that was revoked. */
  readonly clientId: string | null;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
};

export type NewMachine = Pick<Machine, 'id' | 'name' | 'siteId' | 'stock'>;

/** A machine as it begins: idle, never used, with nothing planned in it. */
export function machineFrom(draft: NewMachine, clientId: string, now: Instant): Machine {
  const rest = { status: 'idle', usageCount: 0, sessionId: null, planogramVersion: 0 } as const;
  return { ...draft, ...rest, clientId, createdAt: now, updatedAt: now };
}

export type WrongMachineState = { readonly kind: 'wrong-machine-state'; readonly status: MachineStatus };

/**
 * The machine after a move, with the session that has it from then on (null: nobody). Refuses `wrong-machine-state`
 * where the table of transitions has no such move from its status.
 */
export function moved(
  machine: Machine,
  move: MachineMove,
  sessionId: string | null,
  now: Instant,
): Result<Machine, WrongMachineState> {
  const moves: { readonly [Move in MachineMove]?: MachineStatus } = machineTransitions[machine.status];
  const status = moves[move];
  if (status === undefined) return refuse({ kind: 'wrong-machine-state', status: machine.status });
  return accept({ ...machine, status, sessionId, updatedAt: now });
}

export function machineRegistered({ id: machineId, name, siteId, stock }: Machine): Said {
  return said('fleet.machine-registered.v1', machineId, { machineId, name, siteId, stock });
}

/** What is said of a move; `sessionId` is the session that it begins or ends. */
export function statusChanged(before: Machine, after: Machine, cause: MachineMove): Said {
  const sessionId = after.sessionId ?? before.sessionId;
  const { id: machineId, siteId } = after;
  return said('fleet.machine-status-changed.v1', machineId, {
    ...{ machineId, siteId, from: before.status, to: after.status, cause },
    ...(sessionId === null ? {} : { sessionId }),
    changedAt: formatInstant(after.updatedAt),
  });
}

type FleetSaid = Extract<Said, { readonly type: `fleet.${string}` }>;

/** An event about a machine: that is its key and its subject. */
export function said<Type extends FleetSaid['type']>(
  type: Type,
  machineId: string,
  data: Extract<FleetSaid, { readonly type: Type }>['data'],
): Said {
  // The type and the data of it were given together.
  return { type, key: machineId, subject: machineId, data } as Said;
}

export function machineView({ id, name, siteId, stock, status, usageCount, ...machine }: Machine): MachineView {
  const times = { createdAt: formatInstant(machine.createdAt), updatedAt: formatInstant(machine.updatedAt) };
  // No program has connected to any machine yet, and the server plays those: they are always there.
  return { id, name, siteId, stock, status, usageCount, online: true, ...times };
}
