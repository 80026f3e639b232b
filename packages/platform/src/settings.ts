import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';
import { formatDuration, HOUR, parseDuration } from '@provender/kernel';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parseClock } from './clock-text.ts';

/** A setting in the schema: the variable it is read from, and what the help and a refusal say about it. */
type SettingOptions = {
  readonly env: string;
  readonly meaning: string;
  readonly allowed: string;
  /** Takes the variable's text; gives undefined where it cannot be what the schema wants. */
  readonly parse: (text: string) => unknown;
  /** The text that stands where the variable is not set. */
  readonly fallback?: string;
  /** May hold a password: never shown. Unless said, a text with an @ in it is taken for an address with one. */
  readonly secret?: boolean;
};

type OnOff = { readonly env: string; readonly meaning: string };

const PORT_MAX = 65_535;
const CLOCK_RATE_MAX = 10_000;
const LIST_MAX = 50;
const KAFKA_PARTITIONS_MAX = 1_000;
const UPSTREAMS_MAX = 500;
const GATEWAY_SECRET_LENGTH_MIN = 32;

/** What a gateway sends requests on to: contexts, and the process that looks at all of their databases at once. */
export const UPSTREAM_NAMES = [...CONTEXT_NAMES, 'operations'] as const;
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

const UpstreamSetting = Type.Object({
  name: Type.Enum([...UPSTREAM_NAMES]),
  address: Type.String({ pattern: '^https?://[^/]+$', maxLength: 2_048 }),
});
const ADDRESS_MAX = 2_048;

const PROTOCOLS = {
  http: ['http:', 'https:'],
  postgres: ['postgres:', 'postgresql:'],
  mqtt: ['mqtt:', 'mqtts:', 'ws:', 'wss:'],
  redis: ['redis:', 'rediss:'],
  smtp: ['smtp:', 'smtps:'],
} as const satisfies Record<string, readonly string[]>;

/** How fast business time runs, and where that began if it is not for the database to say. */
const ClockSetting = Type.Object({
  rate: Type.Number({ minimum: 1, maximum: CLOCK_RATE_MAX }),
  origin: Type.Optional(Type.Object({ wall: Type.Integer(), business: Type.Integer() })),
});

/** Every setting there is, with its type. What a later part of the system reads is checked already. */
export const SettingsSchema = Type.Object({
  host: setting(Type.String({ pattern: '^[A-Za-z0-9.:_-]{1,253}$' }), {
    env: 'HOST',
    meaning: 'address to listen on',
    allowed: 'a host name or an IP address',
    parse: asIs,
    fallback: '127.0.0.1',
  }),
  port: port('PORT', 'port of API, web and docs', '3000'),
  publicUrl: Type.Optional(
    url('PUBLIC_URL', 'issuer of tokens and base of links; by default from host and port', 'http'),
  ),
  mqttPort: port('MQTT_PORT', 'port for vending machines', '1883'),
  mqttUrl: Type.Optional(url('MQTT_URL', 'an MQTT broker instead of the one inside', 'mqtt')),
  rateLimit: onOff({ env: 'RATE_LIMIT', meaning: 'answers 429 to a caller who asks too often; off for load tests' }),
  dataFolder: setting(Type.String({ minLength: 1, maxLength: 4_096 }), {
    env: 'PROVENDER_DATA',
    meaning: 'folder of the embedded database',
    allowed: 'a path',
    parse: asIs,
    fallback: '.provender',
  }),
  demo: onOff({
    env: 'PROVENDER_DEMO',
    meaning: 'fills an empty database with a demo town, and lets customers deposit',
  }),
  clock: setting(ClockSetting, {
    env: 'PROVENDER_CLOCK',
    meaning: 'how fast business time runs; with @ the moment from which on, for processes with databases of their own',
    allowed: `a factor such as 1x or 60x, from 1x to ${CLOCK_RATE_MAX}x, or 60x@2026-11-21T08:00:00.000Z`,
    parse: parseClock,
    secret: false,
    fallback: '1x',
  }),
  dispenseDelayMilliseconds: setting(Type.Integer({ minimum: 0, maximum: HOUR }), {
    env: 'PROVENDER_DISPENSE_DELAY',
    meaning: 'how long a machine that the server plays takes to drop a product',
    allowed: `a duration such as PT2S, at most ${formatDuration(HOUR)}`,
    parse: parseDuration,
    fallback: 'PT2S',
  }),
  gatewaySecret: Type.Optional(
    setting(Type.String({ minLength: GATEWAY_SECRET_LENGTH_MIN, maxLength: 1_024 }), {
      env: 'GATEWAY_SECRET',
      meaning: 'what gateway and contexts know: proves the address of a caller behind the gateway',
      allowed: `a text of at least ${GATEWAY_SECRET_LENGTH_MIN} characters`,
      parse: asIs,
      secret: true,
    }),
  ),
  trustedProxies: Type.Optional(
    setting(Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]{2,45}(/\\d{1,3})?$' }), { maxItems: LIST_MAX }), {
      env: 'TRUSTED_PROXIES',
      meaning: 'whose X-Forwarded-For is believed: the TLS proxy in front of us',
      allowed: 'a list of IP addresses or networks, such as 10.0.0.0/8',
      parse: commaList,
    }),
  ),
  upstreams: setting(Type.Array(UpstreamSetting, { maxItems: UPSTREAMS_MAX }), {
    env: 'UPSTREAMS',
    meaning: 'where the gateway finds each context; one that is named twice has two processes',
    allowed: `a list of NAME=ADDRESS, such as orders=http://127.0.0.1:4001, NAME one of ${UPSTREAM_NAMES.join(', ')}`,
    parse: upstreamList,
    fallback: '',
  }),
  tokenKeysUrl: Type.Optional(
    url('TOKEN_KEYS_URL', 'where contexts read the keys of access tokens; by default under PUBLIC_URL', 'http'),
  ),
  databaseUrl: Type.Optional(url('DATABASE_URL', 'this PostgreSQL instead of the embedded one', 'postgres')),
  databaseUrls: Type.Optional(
    setting(Type.Record(Type.String(), Type.String({ maxLength: ADDRESS_MAX })), {
      env: 'DATABASE_URLS',
      meaning: 'where each context has its database, for verify over all of them',
      allowed: 'a list such as identity=postgres://…,catalog=postgres://…',
      parse: databaseUrls,
      secret: true,
    }),
  ),
  contexts: setting(Type.Array(Type.Enum([...CONTEXT_NAMES]), { minItems: 1, uniqueItems: true }), {
    env: 'CONTEXTS',
    meaning: 'only these contexts in this process',
    allowed: `a list of ${CONTEXT_NAMES.join(', ')}`,
    parse: commaList,
    fallback: CONTEXT_NAMES.join(','),
  }),
  events: setting(Type.Enum(['postgres', 'kafka']), {
    env: 'EVENTS',
    meaning: 'what carries events between contexts',
    allowed: 'postgres or kafka',
    parse: asIs,
    fallback: 'postgres',
  }),
  kafkaBrokers: Type.Optional(
    setting(Type.Array(Type.String({ pattern: '^[A-Za-z0-9._-]{1,253}:\\d{1,5}$' }), { maxItems: LIST_MAX }), {
      env: 'KAFKA_BROKERS',
      meaning: 'Kafka to start from',
      allowed: 'a list of host:port, such as localhost:9092',
      parse: commaList,
    }),
  ),
  kafkaPartitions: setting(Type.Integer({ minimum: 1, maximum: KAFKA_PARTITIONS_MAX }), {
    env: 'KAFKA_PARTITIONS',
    meaning: 'partitions of a topic that is not there yet; of one that is, they never change',
    allowed: `a number from 1 to ${KAFKA_PARTITIONS_MAX}`,
    parse: (text) => (/^\d{1,4}$/.test(text) ? Number(text) : undefined),
    fallback: '12',
  }),
  kafkaTopicPrefix: setting(Type.String({ pattern: '^[A-Za-z0-9._-]{1,100}$' }), {
    env: 'KAFKA_TOPIC_PREFIX',
    meaning: 'what the names of topics and consumer groups begin with',
    allowed: 'letters, digits, dots, hyphens and underscores',
    parse: asIs,
    fallback: 'provender.',
  }),
  redisUrl: Type.Optional(url('REDIS_URL', 'publishes notifications to this Redis', 'redis')),
  smtpUrl: Type.Optional(
    url('SMTP_URL', 'sends mail through this server, else into the mailbox of the console', 'smtp'),
  ),
  mailFrom: setting(Type.String({ pattern: '^[^\\r\\n<>]*<?[^\\s<>@]+@[^\\s<>@]+>?$', maxLength: 320 }), {
    env: 'MAIL_FROM',
    meaning: 'whom mail comes from',
    allowed: 'an e-mail address, with a name before it or without: Name <name@example.com>',
    parse: asIs,
    fallback: 'Provender <provender@localhost>',
  }),
  webhookLoopback: setting(Type.Boolean(), {
    env: 'WEBHOOK_LOOPBACK',
    meaning: 'lets webhooks reach this machine itself, by http too: for demos and tests',
    allowed: 'on or off',
    parse: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    fallback: 'off',
  }),
  warehouseUrl: Type.Optional(url('WAREHOUSE_URL', 'where warehouse stock is mirrored from', 'http')),
  partnerOrdersUrl: Type.Optional(url('PARTNER_ORDERS_URL', "the partner's feed of orders", 'http')),
  logLevel: setting(Type.Enum(['debug', 'info', 'warn', 'error', 'silent']), {
    env: 'LOG_LEVEL',
    meaning: 'the least important lines that the log shows',
    allowed: 'debug, info, warn, error or silent',
    parse: asIs,
    fallback: 'info',
  }),
});

/** One process of what the gateway sends requests on to. */
export type Upstream = { readonly name: UpstreamName; readonly address: string };

export type Settings = Omit<Readonly<Static<typeof SettingsSchema>>, 'contexts' | 'databaseUrls' | 'upstreams'> & {
  readonly contexts: readonly ContextName[];
  readonly upstreams: readonly Upstream[];
  readonly databaseUrls?: Readonly<Partial<Record<ContextName, string>>>;
};

export type SettingsRead =
  | { readonly ok: true; readonly value: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Takes the environment. Gives the settings, or a line for each value that is wrong: variable, value, what is allowed.
 * A variable that is set to nothing counts as not set. Values that may hold a password are never repeated.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): SettingsRead {
  const problems: string[] = [];
  const value: Record<string, unknown> = {};
  for (const { key, schema, options } of allSettings()) {
    const text = env[options.env] || options.fallback;
    if (text === undefined) continue;
    const parsed = options.parse(text);
    if (parsed !== undefined && Value.Check(schema, parsed)) value[key] = parsed;
    else
      problems.push(`${options.env}${isSecret(options, text) ? '' : `=${shown(text)}`}: must be ${options.allowed}.`);
  }
  if (value.events === 'kafka' && !env.KAFKA_BROKERS) {
    problems.push('EVENTS=kafka: KAFKA_BROKERS must be set too, to a list of host:port.');
  }
  if (problems.length > 0) return { ok: false, problems };
  // Every member was just checked against the schema that the type is made from.
  return { ok: true, value: value as Settings };
}

/** The table of all settings for people: variable, what it is when not set, what it means, what is allowed. */
export function describeSettings(): string {
  const rows = allSettings().map(({ options: { env, fallback, meaning, allowed } }) => {
    const standard = env === 'CONTEXTS' ? 'all' : (fallback ?? '');
    return [env, standard, `${meaning} (${allowed})`];
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

type Setting = { readonly key: string; readonly schema: TSchema; readonly options: SettingOptions };

function allSettings(): Setting[] {
  return Object.entries(SettingsSchema.properties).map(([key, schema]) => ({
    key,
    schema,
    // Each property was made by `setting`, which put its options there.
    options: (schema as unknown as { readonly setting: SettingOptions }).setting,
  }));
}

/** A user name in an address may come with a password. */
function isSecret({ secret }: SettingOptions, text: string): boolean {
  return secret ?? text.includes('@');
}

function setting<Schema extends TSchema>(schema: Schema, options: SettingOptions): Schema {
  return Object.assign(schema, { setting: options });
}

function port(env: string, meaning: string, fallback: string) {
  return setting(Type.Integer({ minimum: 0, maximum: PORT_MAX }), {
    env,
    meaning,
    allowed: `a port from 1 to ${PORT_MAX}, or 0 for a free one`,
    parse: (text) => (/^\d{1,5}$/.test(text) ? Number(text) : undefined),
    fallback,
  });
}

function onOff({ env, meaning }: OnOff) {
  return setting(Type.Boolean(), {
    env,
    meaning,
    allowed: 'on or off',
    parse: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    fallback: 'on',
  });
}

/** An address of a server. */
function url(env: string, meaning: string, kind: keyof typeof PROTOCOLS) {
  const protocols: readonly string[] = PROTOCOLS[kind];
  return setting(Type.String({ maxLength: ADDRESS_MAX }), {
    env,
    meaning,
    allowed: `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    parse(text) {
      const parsed = URL.canParse(text) ? new URL(text) : undefined;
      if (parsed === undefined || !protocols.includes(parsed.protocol)) return undefined;
      if (kind === 'http' && parsed.hostname === '') return undefined;
      return env === 'PUBLIC_URL' ? publicUrl(parsed) : text;
    },
    ...(kind === 'http' ? {} : { secret: true }),
  });
}

/** Takes `identity=postgres://…,catalog=postgres://…`: a comma parts where a name and an address follow. */
function databaseUrls(text: string): Record<string, string> | undefined {
  const pairs = text.split(/,(?=\s*\w+=)/).map((part) => part.trim().split(/=(.*)/s));
  const named = pairs.map(([name = '', address = '']) => [name, address] as const);
  const isEach = named.every(([name, address]) => {
    const protocol = URL.canParse(address) ? new URL(address).protocol : '';
    return CONTEXT_NAMES.some((context) => context === name) && PROTOCOLS.postgres.some((each) => each === protocol);
  });
  return isEach && new Set(named.map(([name]) => name)).size === named.length ? Object.fromEntries(named) : undefined;
}

/** The base of links and the issuer of tokens: nothing but scheme, host, port and path, without a slash at its end. */
function publicUrl({ protocol, host, pathname, search, hash, username, password }: URL): string | undefined {
  if (`${search}${hash}${username}${password}` !== '') return undefined;
  return `${protocol}//${host}${pathname}`.replace(/\/+$/, '');
}

function asIs(text: string): string {
  return text;
}

function commaList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** `orders=http://a:1,orders=http://b:1`: only scheme, host and port, since paths are the routes' own. */
function upstreamList(text: string): unknown {
  if (text === '') return [];
  return commaList(text).map((part) => {
    const [name, address = ''] = part.split(/=(.*)/s);
    return { name, address: URL.canParse(address) ? address.replace(/\/$/, '') : '' };
  });
}

const SHOWN_MAX = 100;

/** A wrong value on one line, cut short, without control characters that would garble the terminal. */
function shown(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line;
}
