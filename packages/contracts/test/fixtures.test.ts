import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CONTEXT_NAMES, eventSchemas, type RecordedEvent } from '@provender/contracts';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const schemas: Readonly<Record<string, TSchema>> = eventSchemas;

/** The names of the released fixtures, and what each of them hashes to. */
const released = new Map<string, string>(
  readFileSync(`${folder}released.sha256`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => [line.slice(66), line.slice(0, 64)] as const),
);

function hashOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(folder + name))
    .digest('hex');
}

function fixture(name: string): RecordedEvent {
  // Files of this folder only; what they must be is what is tested here.
  return JSON.parse(readFileSync(`${folder}${name}`, 'utf8')) as RecordedEvent;
}

describe('events that were released', () => {
  test('given every type of event, then it has a fixture (mend: npm run fixtures)', () => {
    expect(Object.keys(eventSchemas).filter((type) => !files.includes(`${type}.json`))).toEqual([]);
  });

  test('given the list of what was released, then each stands as it was, and nothing else is there', () => {
    const found = files.map((name) => [name, hashOf(name)] as const);
    expect(new Map(found), 'a released fixture is never changed; a new one is listed by npm run fixtures').toEqual(
      released,
    );
  });

  test.each(files)('given %s, then the schema of today reads it', (name) => {
    const { type, source, key, subject, data } = fixture(name);
    expect(name.replace(/(\+[a-z-]+)?\.json$/, '')).toBe(type);
    expect(type).toMatch(/^[a-z]+\.[a-z-]+\.v[1-9]\d*$/);
    expect([source, CONTEXT_NAMES.includes(source)]).toEqual([type.split('.')[0], true]);
    expect(Math.min(key.length, subject.length)).toBeGreaterThan(0);
    const schema = schemas[type];
    expect(schema, `${type} was released, so its schema stays: a log keeps it for ever`).toBeDefined();
    if (schema !== undefined) expect([...Value.Errors(schema, data)]).toEqual([]);
  });

  test('given a fixture, when a member is missing or another kind, then the schema sees it', () => {
    const { data } = fixture('orders.order-placed.v1.json');
    const schema = eventSchemas['orders.order-placed.v1'];
    expect(Value.Check(schema, { ...(data as object), total: 'a lot' })).toBe(false);
    expect(Value.Check(schema, { ...(data as object), orderId: undefined })).toBe(false);
  });
});
