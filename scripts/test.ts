// `npm test`: every check of the project in turn, each with its name and duration, and one closing line
// `N passed, N failed` that counts each test of vitest and each other step as one.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestCounts } from './count-reporter.ts';

const LINE_COVERAGE_PERCENT_MIN = 85;

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'provender-test-run-'));

type Outcome = { passed: number; failed: number; skipped: Array<{ name: string; reason: string }> };

/** Runs one command with its output passed through; the answer is its exit code, 1 when a signal ended it. */
function run(command: string, args: readonly string[], extraEnv: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...extraEnv } });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function ended(ok: boolean): Outcome {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] };
}

function checkOf(command: string, ...args: readonly string[]): () => Promise<Outcome> {
  return async () => ended((await run(command, args)) === 0);
}

async function vitest(): Promise<Outcome> {
  const file = join(scratch, 'counts.json');
  const code = await run(
    'vitest',
    [
      'run',
      ...(process.stdout.isTTY ? ['--reporter=default'] : ['--reporter=dot']),
      '--reporter=./scripts/count-reporter.ts',
      '--coverage',
      // Processes, brokers and crashes on a machine of any load: what needs a second try is named at the end.
      '--retry=1',
    ],
    { PROVENDER_TEST_COUNTS: file },
  );
  if (!existsSync(file)) return ended(false);
  const counts: TestCounts = JSON.parse(readFileSync(file, 'utf8'));
  const failed = counts.failed === 0 && code !== 0 ? 1 : counts.failed;
  console.log(`slowest: ${counts.slowest.map(({ file, seconds }) => `${file} ${seconds} s`).join(', ')}`);
  for (const name of counts.unsteady) console.log(`passed at the second try only: ${name}`);
  return { passed: counts.passed, failed, skipped: [...counts.skipped] };
}

async function coverage(): Promise<Outcome> {
  const file = join(root, 'coverage', 'coverage-summary.json');
  if (!existsSync(file)) {
    console.error('no coverage was measured: the tests above did not finish');
    return ended(false);
  }
  const percent: number = JSON.parse(readFileSync(file, 'utf8')).total.lines.pct;
  console.log(`contexts/*/src: ${percent} % of the lines ran in a test, at least ${LINE_COVERAGE_PERCENT_MIN} % must`);
  return ended(percent >= LINE_COVERAGE_PERCENT_MIN);
}

const steps: ReadonlyArray<readonly [name: string, step: () => Promise<Outcome>]> = [
  ['types (tsc)', checkOf('tsc', '-p', '.')],
  ['format (biome; mend with: npm run format)', checkOf('biome', 'format', '.')],
  ['lint (oxlint)', checkOf('oxlint', '--type-aware', '--quiet')],
  ['dead code (knip)', checkOf('knip', '--no-config-hints')],
  ['tests (vitest)', vitest],
  ['coverage', coverage],
];

/** Fetches the broker of the Kafka tests, once; where it cannot be had they are skipped and say why. */
async function prepareKafka(): Promise<void> {
  try {
    // Loaded here, so that the checks of a tree that is broken still run.
    const { fetchKafka } = await import('@provender/platform');
    await fetchKafka((line) => console.log(`kafka: ${line}`));
  } catch (error) {
    console.log(`kafka: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function main(): Promise<void> {
  rmSync(join(root, 'coverage'), { recursive: true, force: true });
  await prepareKafka();
  const total: Outcome = { passed: 0, failed: 0, skipped: [] };
  const summary: string[] = [];
  for (const [name, step] of steps) {
    console.log(`\n── ${name}`);
    const started = performance.now();
    const outcome = await step();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    summary.push(`${outcome.failed === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s  ${name}`);
    console.log(summary.at(-1));
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    total.skipped.push(...outcome.skipped);
  }
  console.log(`\n${summary.join('\n')}`);
  for (const { name, reason } of total.skipped) console.log(`skipped: ${name} (${reason})`);
  rmSync(scratch, { recursive: true, force: true });
  const skipped = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

await main();
