import { describe, expect, test } from 'vitest';
import { type CredentialsSaid, credentialsChange } from './machine-credentials.ts';

const at = '2026-11-21T08:00:00.000Z';

const issued = (clientId: string, replaces?: string): CredentialsSaid => ({
  ...{ kind: 'issued', at, machineId: 'm1', clientId, secretHash: `hash of ${clientId}` },
  ...(replaces === undefined ? {} : { replaces }),
});

describe('credentials of machines', () => {
  test('given new ones, then they are let in', () => {
    const { issued: letIn, ended } = credentialsChange([issued('a')]);
    expect(letIn.map(({ clientId }) => clientId)).toEqual(['a']);
    expect(ended).toEqual([]);
  });

  test('given a rotation in the same set, then only the last ones are let in', () => {
    const { issued: letIn, ended } = credentialsChange([issued('a'), issued('b', 'a'), issued('c', 'b')]);
    expect(letIn.map(({ clientId }) => clientId)).toEqual(['c']);
    expect(ended.map(({ clientId }) => clientId)).toEqual(['a', 'b']);
  });

  test('given that they are revoked in the same set, then nothing is let in', () => {
    expect(credentialsChange([issued('a'), { kind: 'revoked', at, clientId: 'a' }]).issued).toEqual([]);
  });
});
