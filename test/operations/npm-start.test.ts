import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

// The two commands of the README, as a user or a supervisor runs them: through npm, which they then tell to stop.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = { timeout: 120_000 };

const folder = mkdtempSync(join(tmpdir(), 'provender-npm-start-'));
let npm: ChildProcess | undefined;

afterEach(() => {
  if (npm?.pid !== undefined && npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function npmStart(env: Readonly<Record<string, string>>): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  npm = spawn('npm', ['start'], {
    cwd: ROOT,
    detached: true,
    env: { PATH, HOME, PROVENDER_DATA: folder, PORT: '0', MQTT_PORT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  npm.stderr?.resume();
  return npm;
}

/** Where the server says that it is reached. */
async function addressSaid(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('Nobody listens to npm');
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /is ready at (\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('npm start ended before the server was ready');
}

describe('npm start', () => {
  test(
    'given npm is told to stop, when it ends, then the server and its database have ended with it',
    START,
    async () => {
      const child = npmStart({});
      const address = await addressSaid(child);
      expect((await fetch(`${address}/health/ready`)).status).toBe(200);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await expect(fetch(`${address}/health/live`)).rejects.toThrow(/fetch failed/);
      expect(readdirSync(join(folder, 'cluster'))).not.toContain('postmaster.pid');
    },
  );

  test('given a database that is not there, when it starts, then one line names the setting', START, async () => {
    const child = npmStart({ DATABASE_URL: 'postgres://nobody:a-secret-word@127.0.0.1:1/nothing' });
    let said = '';
    child.stderr?.on('data', (part: Buffer) => (said += part.toString()));
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(said).toContain('DATABASE_URL: no PostgreSQL answers there');
    expect(said).not.toContain('a-secret-word');
  });
});
