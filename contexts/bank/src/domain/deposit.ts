import { accept, type Result, refuse } from '@provender/kernel';

/** Who pays in, and to whose account; `accountId` undefined means one's own. */
export type DepositAsk = {
  readonly callerId: string;
  readonly isManager: boolean;
  readonly accountId: string | undefined;
  /** Customers may only make money while no payment provider stands behind it: in a demo. */
  readonly isDemo: boolean;
};

export type DepositRefusal = { readonly kind: 'not-found' } | { readonly kind: 'forbidden' };

/** Whose account it is. An own account is opened on first use, somebody else's has to be there. */
export type DepositTarget = { readonly accountId: string; readonly isOwn: boolean };

/**
 * Decides where a deposit goes. A manager pays in to any account. Refuses others, in this order: `not-found` for
 * somebody else's account, `forbidden` for one's own outside of a demo.
 */
export function depositTarget(ask: DepositAsk): Result<DepositTarget, DepositRefusal> {
  const accountId = ask.accountId ?? ask.callerId;
  const isOwn = accountId === ask.callerId;
  if (ask.isManager) return accept({ accountId, isOwn });
  if (!isOwn) return refuse({ kind: 'not-found' });
  if (!ask.isDemo) return refuse({ kind: 'forbidden' });
  return accept({ accountId, isOwn });
}
