import type { VendSessionView, VendStatus } from '@provender/contracts';
import { formatInstant, type Instant, MINUTE } from '@provender/kernel';

/** A choice that has not come by then gives the machine back. */
export const CHOICE_TIME = 2 * MINUTE;

/** Who began it: a person, or the machine itself, on which somebody has pressed a button. */
export type Starter = { readonly kind: 'user' | 'machine'; readonly id: string };

/** The whole story of one vend. */
export type VendSession = {
  readonly id: string;
  readonly machineId: string;
  readonly siteId: string;
  readonly starter: Starter;
  readonly status: VendStatus;
};

/** A state that a session came to, when, and why. */
export type VendStep = { readonly status: VendStatus; readonly cause: string; readonly at: Instant };

export function sessionFrom(
  id: string,
  machine: { readonly id: string; readonly siteId: string },
  starter: Starter,
): VendSession {
  return { id, machineId: machine.id, siteId: machine.siteId, starter, status: 'choosing' };
}

/** True where the caller may see it: who began it. Staff see all, which the route says. */
export function isStarter({ starter }: VendSession, { kind, id }: { readonly kind: string; readonly id: string }) {
  return starter.kind === kind && starter.id === id;
}

export function sessionView({ id, machineId, status }: VendSession, steps: readonly VendStep[]): VendSessionView {
  const history = steps.map((step) => ({ status: step.status, at: formatInstant(step.at), cause: step.cause }));
  return { id, machineId, status, history };
}
