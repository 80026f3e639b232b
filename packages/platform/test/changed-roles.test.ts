import type { Said } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { alsoReacting, type Reactions, reactInOneGo, runReactions } from '../src/reactions.ts';
import type { RecordedEvent, Role } from '@provender/contracts';
import { knownTokens } from '../src/http/tokens.ts';

function event(type: Said['type'], subject: string): RecordedEvent {
  return {
    type,
    subject,
    key: subject,
    data: {},
    id: subject,
    source: 'identity',
    position: 1,
    time: '2026-11-21T08:00:00.000Z',
  };
}

const TX = { query: () => Promise.resolve([]), append: () => {} };
const CHANGED = 'identity.roles-changed.v1';
const REGISTERED = 'identity.user-registered.v1';

/** Runs them over one change of roles and one registration. Gives who was called with how many events. */
async function called(reactionsOf: (note: (name: string) => () => Promise<void>) => Reactions): Promise<string[]> {
  const calls: string[] = [];
  const note =
    (name: string) =>
    async (...[events]: [events?: readonly RecordedEvent[]]) => {
      calls.push(`${name} ${(events ?? []).map(({ type }) => type.split('.')[1]).join(' ')}`);
    };
  const reactions = alsoReacting(reactionsOf(note as never), CHANGED, note('also'));
  const events = [event(CHANGED, 'ann'), event(REGISTERED, 'bob')].filter(({ type }) => Object.hasOwn(reactions, type));
  await runReactions(reactions, events, TX);
  return calls;
}

describe('a reaction beside those of a context', () => {
  test('given a context that does not know the type, then it is called alone', async () => {
    expect(await called((note) => ({ [REGISTERED]: note('own') }))).toEqual([
      'own user-registered',
      'also roles-changed',
    ]);
    expect(await called(() => ({}))).toEqual(['also roles-changed']);
  });

  test('given a context that reacts to the type itself, then both are called', async () => {
    const calls = await called((note) => ({ [CHANGED]: note('own') }));
    expect(calls).toEqual(['also roles-changed', 'own roles-changed']);
  });

  test('given a context that takes all types in one go, then it still does, and sees only what it wants', async () => {
    expect(await called((note) => reactInOneGo([REGISTERED], note('own')))).toEqual([
      'also roles-changed',
      'own user-registered',
    ]);
    expect(await called((note) => reactInOneGo([REGISTERED, CHANGED], note('own')))).toEqual([
      'also roles-changed',
      'own roles-changed user-registered',
    ]);
  });
});

test('given a token that was verified before, when its caller is limited, then that counts from then on', async () => {
  let left: readonly Role[] = ['customer', 'staff'];
  const issuedAt = Date.now();
  const tokens = knownTokens(
    async () => ({ caller: { kind: 'user', id: 'ann', roles: left }, issuedAt, expiresAt: issuedAt + 60_000 }),
    (caller, at) => (caller.kind === 'user' && at === issuedAt ? { ...caller, roles: left } : caller),
  );
  expect(await tokens.verify('token')).toMatchObject({ roles: ['customer', 'staff'] });
  left = ['customer'];
  expect(tokens.known('token')).toMatchObject({ roles: ['customer'] });
});
