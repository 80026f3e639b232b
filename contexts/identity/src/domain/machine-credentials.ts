import type { MachineCredentialsIssued } from '@provender/contracts';

/** What the fleet said of a machine's credentials, in the order in which it said it, with the moment of each. */
export type CredentialsSaid = { readonly at: string } & (
  | ({ readonly kind: 'issued' } & MachineCredentialsIssued)
  | { readonly kind: 'revoked'; readonly clientId: string }
);

export type IssuedCredentials = MachineCredentialsIssued & { readonly at: string };
export type EndedCredentials = { readonly clientId: string; readonly at: string };

/** Credentials to be let in, and those that end. */
export type CredentialsChange = {
  readonly issued: readonly IssuedCredentials[];
  readonly ended: readonly EndedCredentials[];
};

/**
 * What a set comes to. What was issued and ended within it is not let in at all: a machine has one pair at a time, and
 * whoever ends stays ended, however often it is heard.
 */
export function credentialsChange(said: readonly CredentialsSaid[]): CredentialsChange {
  const ended = said.flatMap((each) => endedBy(each));
  const endedIds = new Set(ended.map(({ clientId }) => clientId));
  const issued = said.flatMap((each) => {
    if (each.kind !== 'issued' || endedIds.has(each.clientId)) return [];
    const { kind: _kind, ...credentials } = each;
    return [credentials];
  });
  return { issued, ended };
}

function endedBy(said: CredentialsSaid): EndedCredentials[] {
  const clientId = said.kind === 'revoked' ? said.clientId : said.replaces;
  return clientId === undefined ? [] : [{ clientId, at: said.at }];
}
