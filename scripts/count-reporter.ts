import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What one run of vitest came to, for the closing line of `npm test`. */
export type TestCounts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
  /** Passed at the second try only. */
  readonly unsteady: readonly string[];
  readonly slowest: ReadonlyArray<{ readonly file: string; readonly seconds: number }>;
};

const SLOWEST_MAX = 12;

function fullName(test: TestCase): string {
  return `${test.module.relativeModuleId}: ${test.fullName}`;
}

/**
 * Writes the counts of a run to the file named by PROVENDER_TEST_COUNTS. Vitest's JSON reporter leaves out why a test
 * was skipped, and counts neither a file that failed to load nor an error outside of a test.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['PROVENDER_TEST_COUNTS'];
    if (file === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const brokenModules = modules.filter((module) => module.errors().length > 0);
    const skipped = tests.flatMap((test) => {
      const result = test.result();
      return result.state === 'skipped' ? [{ name: fullName(test), reason: result.note ?? 'no reason given' }] : [];
    });
    const counts: TestCounts = {
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed:
        tests.filter((test) => test.result().state === 'failed').length + brokenModules.length + unhandledErrors.length,
      skipped,
      unsteady: tests.filter((test) => test.diagnostic()?.flaky === true).map(fullName),
      slowest: modules
        .map((module) => ({ file: module.relativeModuleId, seconds: Math.round(module.diagnostic().duration / 1_000) }))
        .toSorted((left, right) => right.seconds - left.seconds)
        .slice(0, SLOWEST_MAX),
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}
