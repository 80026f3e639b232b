import type { RecordedEvent } from '@provender/contracts';
import { describe, expect, test } from 'vitest';
import { wavesOf } from '../src/index.ts';

describe('the order of types', () => {
  const event = (type: string, subject: string) => ({ type, subject }) as RecordedEvent;
  const shown = (waves: ReturnType<typeof wavesOf>) =>
    waves.map((wave) =>
      [...wave].map(([type, events]) => `${type}: ${events.map(({ subject }) => subject).join(' ')}`),
    );

  test('given types in the listed order, when grouped, then each type is one run', () => {
    const events = [event('a', '1'), event('b', '1'), event('a', '2'), event('b', '2')];
    expect(shown(wavesOf(events, ['a', 'b']))).toEqual([['a: 1 2', 'b: 1 2']]);
  });

  test('given a subject whose events come against it, when grouped, then only its own come in a later wave', () => {
    const events = [event('b', '1'), event('a', '1'), event('a', '2'), event('b', '2'), event('b', '1')];
    expect(shown(wavesOf(events, ['a', 'b']))).toEqual([
      ['b: 1 2', 'a: 2'],
      ['a: 1', 'b: 1'],
    ]);
  });
});

describe('the order of types by key', () => {
  const event = (type: string, subject: string) => ({ type, subject, key: 'stock' }) as RecordedEvent;

  test('given types whose subjects compete, when grouped, then whatever was said before comes before, whoever said it', () => {
    const events = [
      event('b', '1'),
      event('a', '1'),
      event('b', '2'),
      event('c', '1'),
      event('a', '3'),
      event('b', '1'),
    ];
    const waves = wavesOf(events, ['a', 'b', 'c'], new Set(['a', 'b']));
    expect(
      waves.map((wave) => [...wave].map(([type, of]) => `${type}: ${of.map(({ subject }) => subject).join(' ')}`)),
    ).toEqual([
      ['b: 1', 'c: 1'],
      ['a: 1', 'b: 2'],
      ['a: 3', 'b: 1'],
    ]);
  });
});
