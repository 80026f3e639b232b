import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const SCALE = 50;

/** Where pgbench is, on the path or where Debian keeps it; undefined where there is none. */
export async function findPgbench(): Promise<string | undefined> {
  const candidates = existsSync(DEBIAN_FOLDER)
    ? readdirSync(DEBIAN_FOLDER).map((version) => join(DEBIAN_FOLDER, version, 'bin', 'pgbench'))
    : [];
  for (const candidate of ['pgbench', ...candidates.reverse()]) {
    const found = await run(candidate, ['--version']).catch(() => undefined);
    if (found !== undefined) return candidate;
  }
  return undefined;
}

export async function preparePgbench(pgbench: string, url: string): Promise<void> {
  await run(pgbench, ['-i', '-q', '-s', String(SCALE), url]);
}

/** Transactions per second of pgbench's TPC-B-like script, prepared statements, so many clients. */
export async function runPgbench(pgbench: string, url: string, clients: number, seconds: number): Promise<number> {
  const args = ['-M', 'prepared', '-n', '-T', String(seconds), '-c', String(clients), '-j', '2', url];
  const { stdout } = await run(pgbench, args, { maxBuffer: 1_000_000 });
  const tps = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench gave no figure:\n${stdout}`);
  return Number(tps);
}
