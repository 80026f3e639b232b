import { defineConfig } from 'vitest/config';

const everywhere = ['{packages,contexts,apps}/*/{src,test}/**/*.test.ts', '{test,bench,scripts}/**/*.test.ts'];

/** Tests of pure rules and of the tree itself: they need no database, so asking for one of them starts none. */
const pure = [
  'contexts/*/src/domain/**/*.test.ts',
  'packages/{kernel,contracts}/**/*.test.ts',
  'test/tidy/**/*.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A condition that is waited for has as long as a loaded machine may need.
    expect: { poll: { timeout: 10_000 } },
    coverage: {
      provider: 'v8',
      include: ['contexts/*/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text-summary', 'json-summary'],
      reportOnFailure: true,
    },
    projects: [
      { extends: true, test: { name: 'pure', include: pure } },
      {
        extends: true,
        test: {
          name: 'system',
          include: everywhere,
          exclude: ['**/node_modules/**', ...pure],
          globalSetup: [
            './packages/platform/src/testing/cluster-setup.ts',
            './packages/platform/src/testing/kafka-setup.ts',
          ],
        },
      },
    ],
  },
});
