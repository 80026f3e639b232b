// What can be said of the Kubernetes manifests without a cluster: their shape, and that they say what the code expects.
import { existsSync, readdirSync } from 'node:fs';
import { CONTEXT_NAMES, ROUTE_PREFIXES } from '@provender/contracts';
import { readSettings, UPSTREAM_NAMES } from '@provender/platform';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Environment, type Manifest, manifestsOf, programOf, root, textOf, yamlOf } from './deployed.ts';

type Source = { readonly configMapRef?: { readonly name: string }; readonly secretRef?: { readonly name: string } };
type Container = {
  readonly image: string;
  readonly args: readonly string[];
  readonly envFrom: readonly Source[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
};
type Trigger = { readonly type: string; readonly metadata: Environment; readonly authenticationRef?: { name: string } };
type Scaled = {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly triggers: readonly Trigger[];
};

const { resources } = yamlOf<{ resources: string[] }>('deploy/kubernetes/kustomization.yaml');
const manifests = resources.flatMap(manifestsOf);
const secrets = manifestsOf('secrets.example.yaml');
/** Contexts that nobody waits for while they have nothing to do. */
const MAY_SLEEP = ['production', 'notifications'];

function named(kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
}

function scaledObject(name: string): Scaled {
  return named('ScaledObject', name).spec as Scaled;
}

function containerOf(name: string): Container {
  const { template } = named('Deployment', name).spec as { template: { spec: { containers: Container[] } } };
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error(`${name} runs nothing`);
  return container;
}

/** The settings of a container, from everything that it names. */
function environmentOf({ envFrom, env = [] }: Container): Environment {
  const parts = envFrom.map(({ configMapRef, secretRef }) => {
    if (configMapRef !== undefined) return named('ConfigMap', configMapRef.name).data ?? {};
    return secrets.find(({ metadata }) => metadata.name === secretRef?.name)?.stringData ?? missing(secretRef?.name);
  });
  return Object.assign({}, ...parts, Object.fromEntries(env.map(({ name, value }) => [name, value])));
}

function missing(secret: string | undefined): never {
  throw new Error(`There is no secret ${secret}`);
}

/** The manifests of a context under the name of another, and without what it asks of a processor. */
function likeOrders(context: string): unknown {
  const text = textOf(`deploy/kubernetes/contexts/${context}.yaml`).replaceAll(context, 'orders');
  return parseAllDocuments(text.replace(/cpu: \d+m/, '')).map((document) => document.toJS() as unknown);
}

describe('the manifests', () => {
  test('given the files, then kustomize is told of each, but of the secrets', () => {
    const files = readdirSync(`${root}deploy/kubernetes`, { recursive: true, encoding: 'utf8' });
    const yaml = files.filter((file) => file.endsWith('.yaml'));
    const others = ['kustomization.yaml', 'secrets.example.yaml'];
    expect(yaml.filter((file) => !others.includes(file)).sort()).toEqual([...resources].sort());
  });

  test('given each object, then it says what it is, once', () => {
    const ids = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { apiVersion, kind, metadata } of manifests) {
      expect(apiVersion).toMatch(/^([a-z0-9.]+\/)?v\d+(alpha\d+)?$/);
      expect([kind, metadata.name]).toEqual([expect.stringMatching(/^[A-Z]\w+$/), expect.stringMatching(/^[a-z-]+$/)]);
    }
  });

  test.each(CONTEXT_NAMES)('given the context %s, then it is deployed as every other', (context) => {
    expect(likeOrders(context)).toEqual(likeOrders('orders'));
  });

  test.each([...UPSTREAM_NAMES, 'gateway'])('given %s, then its program exists and takes its settings', (name) => {
    const container = containerOf(name);
    expect(existsSync(`${root}${programOf(container.args).file}`)).toBe(true);
    const environment = environmentOf(container);
    const read = readSettings(environment);
    expect(read.ok ? [] : read.problems).toEqual([]);
    expect(container.ports?.map(({ containerPort }) => String(containerPort))).toEqual([environment['PORT']]);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    const { contexts, upstreams, databaseUrls } = read.ok ? read.value : { contexts: [], upstreams: [] };
    if (name === 'gateway') expect(upstreams.map((upstream) => upstream.name)).toEqual([...UPSTREAM_NAMES]);
    else if (name === 'operations') expect(Object.keys(databaseUrls ?? {})).toEqual([...CONTEXT_NAMES]);
    else expect(contexts).toEqual([name]);
  });

  test.each([...CONTEXT_NAMES, 'gateway'])('given %s, then service, budget and probes find its pods', (name) => {
    const pods = { 'app.kubernetes.io/name': name };
    const deployment = named('Deployment', name).spec;
    expect(deployment).toMatchObject({ selector: { matchLabels: pods }, template: { metadata: { labels: pods } } });
    expect(named('Service', name).spec).toMatchObject({ selector: pods, ports: [{ port: 3000, targetPort: 'http' }] });
    expect(named('PodDisruptionBudget', name).spec).toMatchObject({ selector: { matchLabels: pods } });
    const http = (path: string) => expect.objectContaining({ httpGet: { path, port: 'http' } });
    expect(containerOf(name)).toMatchObject({
      startupProbe: http('/health/ready'),
      readinessProbe: http('/health/ready'),
      livenessProbe: http('/health/live'),
    });
  });

  test('given the nightly look at every promise, then it names every database', () => {
    const { jobTemplate } = named('CronJob', 'verify').spec as {
      jobTemplate: { spec: { template: { spec: { containers: Container[] } } } };
    };
    const [container] = jobTemplate.spec.template.spec.containers;
    if (container === undefined) throw new Error('verify runs nothing');
    expect(programOf(container.args).words).toEqual(['verify']);
    const read = readSettings(environmentOf(container));
    expect(Object.keys((read.ok ? read.value.databaseUrls : undefined) ?? {})).toEqual([...CONTEXT_NAMES]);
  });
});

describe('scaling', () => {
  test.each(CONTEXT_NAMES)('given %s, then it grows with what its consumer group has still to read', (context) => {
    const { scaleTargetRef, triggers, minReplicaCount, maxReplicaCount } = scaledObject(context);
    expect(scaleTargetRef.name).toBe(context);
    expect(minReplicaCount).toBe(MAY_SLEEP.includes(context) ? 0 : Math.max(1, minReplicaCount));
    expect(maxReplicaCount).toBeGreaterThan(minReplicaCount);
    const brokers = named('ConfigMap', 'provender-context-settings').data?.['KAFKA_BROKERS'];
    expect(triggers.find(({ type }) => type === 'kafka')?.metadata).toMatchObject({
      bootstrapServers: brokers,
      consumerGroup: `provender.${context}`,
      // A group that has committed nothing yet begins with the first record, as the consumers do.
      offsetResetPolicy: 'earliest',
    });
    for (const { metadata } of triggers) {
      expect(Object.values(metadata).filter((value) => typeof value !== 'string')).toEqual([]);
    }
  });

  test.each(MAY_SLEEP)('given %s, which may sleep, then due work and whoever asks wake it', (context) => {
    const { triggers } = scaledObject(context);
    const due = triggers.find(({ type }) => type === 'postgresql');
    expect(due?.metadata['query']).toContain(`FROM ${context}.timers WHERE due_at <`);
    expect(named('TriggerAuthentication', due?.authenticationRef?.name ?? '').spec).toMatchObject({
      secretTargetRef: [{ parameter: 'connection', name: `provender-${context}`, key: 'DATABASE_URL' }],
    });
    const asked = triggers.find(({ type }) => type === 'prometheus')?.metadata['query'] ?? '';
    const routes = new RegExp(`^${/route=~"([^"]+)"/.exec(asked)?.[1]}$`);
    const prefixes = Object.entries(ROUTE_PREFIXES).flatMap(([owner, all]) =>
      all.map((prefix) => [owner, prefix] as const),
    );
    for (const [owner, prefix] of prefixes)
      expect([prefix, routes.test(`${prefix}/*`)]).toEqual([prefix, owner === context]);
  });

  test('given notifications, when a message waits for its next try or somebody listens, then they stay awake', () => {
    const { triggers } = scaledObject('notifications');
    const due = triggers.find(({ type }) => type === 'postgresql')?.metadata['query'];
    expect(due).toContain("FROM notifications.messages WHERE status = 'waiting' AND next_at < now()");
    const queries = triggers.filter(({ type }) => type === 'prometheus').map(({ metadata }) => metadata['query']);
    expect(queries).toContainEqual(expect.stringContaining('provender_gateway_live_streams'));
  });
});
