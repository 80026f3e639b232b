import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { readSettings } from '@provender/platform';
import { describe, expect, test } from 'vitest';
import { layOut, type LayoutWish, partCount } from './layout.ts';
import { replicasOfEach } from './replicas.ts';

const FIRST_PORT = 40_000;

function wish(count: number, given: Partial<LayoutWish> = {}): LayoutWish {
  const replicas = given.replicas ?? replicasOfEach(count);
  const urls = CONTEXT_NAMES.map((context) => [context, `postgres://${context}:secret@db/provender_${context}`]);
  return {
    replicas,
    host: '127.0.0.1',
    port: 3_000,
    publicUrl: 'https://shop.example',
    databases: Object.fromEntries(urls) as Record<ContextName, string>,
    brokers: ['localhost:9092'],
    clock: '60x@2026-11-21T08:00:00.000Z/2026-11-21T08:00:00.000Z',
    gatewaySecret: 's'.repeat(32),
    ports: Array.from({ length: partCount(replicas) }, (_, index) => FIRST_PORT + index),
    ...given,
  };
}

describe('the layout of a town that runs apart', () => {
  test('given two replicas, when laid out, then each process has a port of its own and its settings are right', () => {
    const parts = layOut(wish(2));
    expect(parts).toHaveLength(CONTEXT_NAMES.length * 2 + 2);
    expect(new Set(parts.map(({ address }) => address)).size).toBe(parts.length);
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
    expect(parts.flatMap(({ env }) => problemsOf(env))).toEqual([]);
  });

  test('given contexts apart, when laid out, then each knows its own database and nobody else the password of it', () => {
    for (const { program, name, env } of layOut(wish(1))) {
      const known = CONTEXT_NAMES.filter((context) => JSON.stringify(env).includes(`postgres://${context}:`));
      const allowed = { context: [name], operations: [...CONTEXT_NAMES], gateway: [] }[program];
      expect({ name, known }).toEqual({ name, known: allowed });
    }
  });

  test('given two replicas, when laid out, then the gateway knows both of each, and one process that sees all', () => {
    const read = readSettings(layOut(wish(2)).at(-1)?.env ?? {});
    const upstreams = read.ok ? read.value.upstreams : [];
    for (const context of CONTEXT_NAMES) expect(upstreams.filter(({ name }) => name === context)).toHaveLength(2);
    expect(upstreams.filter(({ name }) => name === 'operations')).toHaveLength(1);
  });

  test('given two of some contexts, when laid out, then there is one process of every other', () => {
    const parts = layOut(wish(1, { replicas: { ...replicasOfEach(1), orders: 2, bank: 2 } }));
    const ordersAndBank = parts.map(({ name }) => name).filter((name) => /^(orders|bank)/.test(name));
    expect(ordersAndBank).toEqual(['orders 1', 'orders 2', 'bank 1', 'bank 2']);
    expect(parts).toHaveLength(CONTEXT_NAMES.length + 2 + 2);
    expect(new Set(parts.map(({ address }) => address)).size).toBe(parts.length);
  });

  test.each([
    ['0.0.0.0', 'http://127.0.0.1:3000'],
    ['10.0.0.7', 'http://10.0.0.7:3000'],
    ['::1', 'http://[::1]:3000'],
  ])('given the gateway listens on %s, when laid out, then contexts find keys at %s', (host, address) => {
    const parts = layOut(wish(1, { host }));
    expect(parts.at(-1)?.address).toBe(address);
    expect(parts[0]?.env['TOKEN_KEYS_URL']).toBe(`${address}/.well-known/jwks.json`);
  });
});

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  const read = readSettings(env);
  return read.ok ? [] : read.problems;
}
