import { describe, expect, it } from 'vitest';
import { describeSettings, readSettings, SettingsSchema } from '../src/settings.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  const read = readSettings(env);
  return read.ok ? [] : read.problems;
}

describe('given an environment', () => {
  it('when nothing is set, then every setting has its standard value', () => {
    expect(readSettings({})).toMatchObject({
      ok: true,
      value: {
        host: '127.0.0.1',
        port: 3000,
        mqttPort: 1883,
        rateLimit: true,
        dataFolder: '.provender',
        demo: true,
        clock: { rate: 1 },
        dispenseDelayMilliseconds: 2_000,
        events: 'postgres',
      },
    });
    expect(readSettings({ PORT: '', DATABASE_URL: '' })).toEqual(readSettings({}));
  });

  it('when values are right, then they are parsed', () => {
    const env = {
      PORT: '0',
      PROVENDER_CLOCK: '60x',
      PROVENDER_DEMO: 'off',
      RATE_LIMIT: 'off',
      PROVENDER_DISPENSE_DELAY: 'PT0.5S',
      CONTEXTS: 'orders, bank',
      PUBLIC_URL: 'https://shop.example/',
      EVENTS: 'kafka',
      KAFKA_BROKERS: 'a:9092,b:9092',
      DATABASE_URL: 'postgres://user:secret@db/provender',
    };
    expect(readSettings(env)).toMatchObject({
      ok: true,
      value: {
        port: 0,
        clock: { rate: 60 },
        demo: false,
        rateLimit: false,
        dispenseDelayMilliseconds: 500,
        contexts: ['orders', 'bank'],
        publicUrl: 'https://shop.example',
        kafkaBrokers: ['a:9092', 'b:9092'],
        databaseUrl: 'postgres://user:secret@db/provender',
      },
    });
  });

  it.each([
    ['HOST', 'a b'],
    ['PORT', '0x10'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '3000 '],
    ['MQTT_PORT', 'x'],
    ['RATE_LIMIT', 'true'],
    ['PROVENDER_DEMO', 'ON'],
    ['PROVENDER_CLOCK', '60'],
    ['PROVENDER_CLOCK', '0x'],
    ['PROVENDER_CLOCK', '100000x'],
    ['PROVENDER_CLOCK', '60x@'],
    ['PROVENDER_CLOCK', '60x@yesterday'],
    ['PROVENDER_CLOCK', '60x@2026-13-21T08:00:00Z'],
    ['PROVENDER_CLOCK', '0.5x@2026-11-21T08:00:00Z'],
    ['UPSTREAMS', 'shop=http://a:1'],
    ['UPSTREAMS', 'orders'],
    ['UPSTREAMS', 'orders=ftp://a'],
    ['UPSTREAMS', 'orders=http://a:1/path'],
    ['TRUSTED_PROXIES', 'everybody'],
    ['PROVENDER_DISPENSE_DELAY', '2s'],
    ['PROVENDER_DISPENSE_DELAY', 'PT2H'],
    ['CONTEXTS', 'orders,shop'],
    ['CONTEXTS', 'orders,orders'],
    ['EVENTS', 'rabbit'],
    ['KAFKA_BROKERS', 'localhost'],
    ['PUBLIC_URL', 'shop.example'],
    ['PUBLIC_URL', 'https://shop.example/?a=1'],
    ['WAREHOUSE_URL', 'ftp://x'],
    ['LOG_LEVEL', 'loud'],
  ])('when %s is %j, then one line names it, its value and what is allowed', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name}=.*must be .+\\.$`)]);
  });

  it('when several values are wrong, then there is a line for each', () => {
    expect(problemsOf({ PORT: 'x', RATE_LIMIT: 'x', EVENTS: 'x' })).toHaveLength(3);
  });

  it.each([
    'fleets=postgres://host/db',
    'bank=http://host/db',
    'bank=postgres://host/a,bank=postgres://host/b',
    'postgres://host/db',
    'bank',
  ])('when the databases of contexts are %j, then one line says what is allowed', (text) => {
    expect(problemsOf({ DATABASE_URLS: text })).toEqual([expect.stringMatching('^DATABASE_URLS: must be a list')]);
  });

  it.each([
    'DATABASE_URL',
    'DATABASE_URLS',
    'MQTT_URL',
    'REDIS_URL',
    'SMTP_URL',
    'WAREHOUSE_URL',
    'PARTNER_ORDERS_URL',
    'PUBLIC_URL',
  ])('when %s is wrong and holds a password, then the line does not repeat it', (name) => {
    const [line] = problemsOf({ [name]: 'gopher://user:canary@host/' });
    expect(line).toContain(`${name}: must be`);
    expect(line).not.toContain('canary');
  });

  it('when a value would garble the terminal or is very long, then the line is still one plain line', () => {
    const [line = ''] = problemsOf({ HOST: `a\n\u001b[31m${'x'.repeat(1_000)}` });
    expect(line).toMatch(/^[\x20-\x7e…]+$/);
    expect(line.length).toBeLessThan(250);
  });

  it('when Kafka is wanted without brokers, then that is said', () => {
    expect(problemsOf({ EVENTS: 'kafka' })).toEqual([expect.stringContaining('KAFKA_BROKERS')]);
  });
});

it('given the help, when settings are described, then each has a line with its standard value', () => {
  const lines = describeSettings().split('\n');
  expect(lines).toHaveLength(Object.keys(SettingsSchema.properties).length);
  expect(lines.find((line) => line.startsWith('PORT '))).toMatch(/^PORT\s+3000\s+port of API, web and docs/);
});
