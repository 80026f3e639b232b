import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ContextName } from '@provender/contracts';
import { readSettings, type Settings } from '@provender/platform';

/** Where a town that runs apart has its databases, for commands beside it; readable for who runs it only. */
const FILE = 'running-apart.json';
const PRIVATE = 0o600;

export function noteRunningTown(dataFolder: string, databases: Readonly<Record<ContextName, string>>): void {
  forgetRunningTown(dataFolder);
  const urls = Object.entries(databases).map(([context, url]) => `${context}=${url}`);
  const text = JSON.stringify({ process: process.pid, DATABASE_URLS: urls.join(',') });
  writeFileSync(join(resolve(dataFolder), FILE), text, { mode: PRIVATE, flag: 'wx' });
}

export function forgetRunningTown(dataFolder: string): void {
  rmSync(join(resolve(dataFolder), FILE), { force: true });
}

/**
 * The settings of a command beside a town that runs apart on this data folder, unless they name a database themselves.
 */
export function besideRunningTown(settings: Settings): Settings {
  if (settings.databaseUrl !== undefined || settings.databaseUrls !== undefined) return settings;
  const file = join(resolve(settings.dataFolder), FILE);
  if (!existsSync(file)) return settings;
  // Written by us. One that a killed process has left leads nowhere any more.
  const { process: pid, DATABASE_URLS } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const read = readSettings({ DATABASE_URLS: String(DATABASE_URLS) });
  const databaseUrls = read.ok ? read.value.databaseUrls : undefined;
  return databaseUrls === undefined || !runs(Number(pid)) ? settings : { ...settings, databaseUrls };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one that runs.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
