// The files of deploy/ as programs that read them would see them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SettingsSchema } from '@provender/platform';
import { parse, parseAllDocuments } from 'yaml';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export function textOf(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8');
}

export type Environment = Readonly<Record<string, string>>;

export type ComposeProcess = {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Environment;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
};

export type ComposeFile = { readonly services: Readonly<Record<string, ComposeProcess>> };

/** The compose file with every variable replaced by its value in `env`; throws where one that must be set is not. */
export function composeFile(env: Environment): ComposeFile {
  const text = textOf('deploy/compose.yaml').replaceAll(VARIABLE, (_whole, name: string, kind = '', otherwise = '') => {
    const value = env[name] ?? '';
    if (value !== '') return value;
    if (kind === ':?') throw new Error(`${name}: ${otherwise}`);
    return otherwise;
  });
  // A file of our own, whose shape the schema of compose files is tested against.
  return parse(text, { merge: true }) as ComposeFile;
}

/** `${NAME}`, `${NAME:-otherwise}`, `${NAME:?what to do}` */
const VARIABLE = /\$\{(\w+)(?:(:[-?])([^}]*))?\}/g;

/** The names of all variables that the compose file takes, and whether they must be set. */
export function composeVariables(): ReadonlyMap<string, boolean> {
  const found = [...textOf('deploy/compose.yaml').matchAll(VARIABLE)];
  return new Map(found.map(([, name = '', kind]) => [name, kind === ':?']));
}

/** A filled .env file, as make-secrets.sh would write it. */
export function filledEnvironment(): Environment {
  const lines = textOf('deploy/.env.example').split('\n');
  const pairs = lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/s));
  return Object.fromEntries(
    pairs.map(([name = '', value]) => [name, value || `${name.toLowerCase()}${'x'.repeat(32)}`]),
  );
}

/** A Kubernetes object, of whatever kind. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Record<string, unknown>;
  readonly data?: Environment;
  readonly stringData?: Environment;
};

export function manifestsOf(path: string): Manifest[] {
  // Files of our own; the tests look at every member that they name.
  return parseAllDocuments(textOf(`deploy/kubernetes/${path}`)).map((document) => document.toJS() as Manifest);
}

export function yamlOf<Shape>(path: string): Shape {
  return parse(textOf(path)) as Shape;
}

/** The variables of every setting there is. */
export const knownVariables: ReadonlySet<string> = new Set(
  Object.values(SettingsSchema.properties).map((schema) => {
    return (schema as unknown as { readonly setting: { readonly env: string } }).setting.env;
  }),
);

/** What a command in a container would run, if it exists: `node …/main.ts start` gives the file and its words. */
export function programOf(command: readonly string[]): { readonly file: string; readonly words: readonly string[] } {
  const [node, ...rest] = command;
  if (node !== 'node') throw new Error(`${command.join(' ')}: only node runs in our image`);
  const [file = '', ...words] = rest.filter((word) => !word.startsWith('--'));
  return { file, words };
}
