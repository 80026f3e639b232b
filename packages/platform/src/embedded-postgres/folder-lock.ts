import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

export type FolderLock = { release(): void };

/**
 * Takes a data folder for this process; throws, naming the holder, when another one has it. The lock is the operating
 * system's lock on a file, held by way of SQLite, because Node has no call for it: it ends with its process, also by
 * kill −9, which a file with a process id in it cannot promise.
 */
export function lockFolder(folder: string): FolderLock {
  const holderFile = join(folder, 'holder');
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error;
    throw new Error(
      `${folder} is already used by ${holderOf(holderFile)}; stop it or set PROVENDER_DATA to another folder`,
      { cause: error },
    );
  }
  writeFileSync(holderFile, String(process.pid));
  return {
    release() {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function holderOf(holderFile: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(holderFile, 'utf8'), 10)}`;
  } catch {
    return 'another process';
  }
}
