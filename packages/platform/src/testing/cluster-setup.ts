// Vitest's global set-up: one PostgreSQL for the whole run, in a folder of its own that goes away with it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { lockFolder } from '../embedded-postgres/folder-lock.ts';
import { isRunning, programOf } from '../embedded-postgres/processes.ts';
import { stopServer } from '../embedded-postgres/server.ts';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';

const FOLDER_PREFIX = 'provender-test-cluster-';

/** Nothing in a test's cluster need outlive the machine, so it never waits for the disk. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  shared_buffers: '128MB',
  max_connections: '400',
  min_wal_size: '80MB',
  max_wal_size: '1GB',
  autovacuum_naptime: '5s',
};

declare module 'vitest' {
  export interface ProvidedContext {
    readonly postgres: { readonly url: string; readonly superuserUrl: string };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftClusters();
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  const server = await startEmbeddedPostgres({ dataFolder: folder, settings: SETTINGS });
  project.provide('postgres', { url: server.url, superuserUrl: server.superuserUrl });
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Ends and removes the clusters of runs that were killed: those whose folder nobody holds any more. */
async function removeLeftClusters(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(FOLDER_PREFIX))) {
    const folder = join(tmpdir(), name);
    // One that nobody has ever held was made a moment ago, by a run that is just starting.
    if (!existsSync(join(folder, 'lock.sqlite'))) continue;
    try {
      const lock = lockFolder(folder);
      const file = join(folder, 'cluster', 'postmaster.pid');
      const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
      if (pid > 0 && isRunning(pid) && programOf(pid)?.includes('postgres')) await stopServer(pid);
      lock.release();
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It is in use by another run at this moment, or belongs to another user.
    }
  }
}
