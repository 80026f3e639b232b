import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const JAVA_MAJOR_MIN = 17;
const PROGRESS_MILLISECONDS = 2_000;
const PROBE_MILLISECONDS_MAX = 30_000;

const pomFile = fileURLToPath(new URL('pom.xml', import.meta.url));
/** Beside the checkout's other ignored data, whatever PROVENDER_DATA says: every data folder shares the jars. */
const kafkaFolder = fileURLToPath(new URL('../../../../.provender/kafka', import.meta.url));

/** The Kafka that the local broker runs. */
export function kafkaVersion(): string {
  return /<kafka\.version>([^<]+)</.exec(readFileSync(pomFile, 'utf8'))?.[1] ?? 'of an unknown version';
}

/** The folder of the jars that the pom asks for; another pom, another folder. Not there until they are fetched. */
export function jarsFolder(): string {
  const hash = createHash('sha256').update(readFileSync(pomFile)).digest('hex').slice(0, 8);
  return join(kafkaFolder, `jars-${kafkaVersion()}-${hash}`);
}

/** Why no Kafka can be started here, in one line; undefined where one can. */
export function kafkaMissing(): string | undefined {
  const java = javaMissing();
  if (java !== undefined) return java;
  if (existsSync(jarsFolder())) return undefined;
  return mavenMissing() ?? 'Kafka is not fetched yet: run npm run kafka -- fetch';
}

/**
 * Fetches Kafka from Maven Central where it is not there yet: some 45 MB, once. Throws, in one line, where Java or
 * Maven is missing or the download fails.
 */
export async function fetchKafka(log: (line: string) => void): Promise<void> {
  const folder = jarsFolder();
  if (existsSync(folder)) return;
  const missing = javaMissing() ?? mavenMissing();
  if (missing !== undefined) throw new Error(missing);
  // Filled beside its place and moved there when it is whole; two that fetch at once do not meet.
  const unfinished = join(kafkaFolder, `fetching-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  log(`fetching Apache Kafka ${kafkaVersion()} from Maven Central (45 MB, once)`);
  try {
    await runMaven(unfinished, log);
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function runMaven(folder: string, log: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'];
    const maven = spawn('mvn', ['--batch-mode', '--strict-checksums', '--file', pomFile, ...goal], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MAVEN_ARGS: '', NO_COLOR: '1' },
    });
    let problem = '';
    let downloads = 0;
    const read = (line: string) => {
      if (line.includes('Downloaded from')) downloads += 1;
      if (problem === '' && line.includes('[ERROR]')) problem = line.replace(/^.*\[ERROR\]\s*/, '').slice(0, 500);
    };
    createInterface({ input: maven.stdout }).on('line', read);
    createInterface({ input: maven.stderr }).on('line', read);
    const progress = setInterval(() => {
      const jars = readdirSync(folder).filter((name) => name.endsWith('.jar')).length;
      log(`… ${downloads} files downloaded, ${jars} jars in place`);
    }, PROGRESS_MILLISECONDS);
    maven.on('error', (error) => {
      clearInterval(progress);
      reject(error);
    });
    maven.on('close', (code) => {
      clearInterval(progress);
      if (code === 0) resolve();
      else reject(new Error(`Kafka could not be fetched: ${problem || `mvn ended with ${code}`}`));
    });
  });
}

function javaMissing(): string | undefined {
  // Java writes its version to stderr, "openjdk version "17.0.15"…", the old ones as "1.8.0".
  const probe = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: PROBE_MILLISECONDS_MAX });
  const major = Number(/version "(\d+)/.exec(probe.stderr ?? '')?.[1] ?? 0);
  if (major >= JAVA_MAJOR_MIN) return undefined;
  const found = major === 0 ? 'there is none on the PATH' : `the one on the PATH is Java ${major === 1 ? 8 : major}`;
  return `Kafka needs Java ${JAVA_MAJOR_MIN} or later, ${found} (Debian: apt-get install openjdk-17-jre-headless)`;
}

function mavenMissing(): string | undefined {
  const probe = spawnSync('mvn', ['--version'], { encoding: 'utf8', timeout: PROBE_MILLISECONDS_MAX });
  if (probe.status === 0) return undefined;
  return 'Kafka is fetched with Maven, and there is no mvn on the PATH (Debian: apt-get install maven)';
}
