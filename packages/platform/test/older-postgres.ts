import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, serverEnvironment, startServer, stopServer } from '../src/embedded-postgres/server.ts';
import { chooseServerUser, commandAs, giveTo } from '../src/embedded-postgres/server-user.ts';

const BIN = '/usr/lib/postgresql/15/bin';
const NOBODY = 65_534;

export type OlderPostgres = { readonly superuserUrl: string; stop(): Promise<void> };

/** Whether the oldest PostgreSQL that we support is on this machine. */
export const hasOlderPostgres = existsSync(join(BIN, 'postgres')) && existsSync(join(BIN, 'initdb'));

/** Starts a PostgreSQL 15 of this machine on a folder of its own. */
export async function startOlderPostgres(): Promise<OlderPostgres> {
  const around = mkdtempSync(join(tmpdir(), 'provender-test-older-'));
  const nobody = { uid: NOBODY, gid: NOBODY };
  const user = chooseServerUser({ data: around, around: tmpdir() }, { uid: 0, gid: 0 }, nobody, join(BIN, 'postgres'));
  const passwordFile = join(around, 'password');
  writeFileSync(passwordFile, 'secret');
  giveTo(user, around);
  const folder = join(around, 'cluster');
  const { command, args, account } = commandAs(user, join(BIN, 'initdb'), [
    ...['-D', folder, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    ...['--locale=C', '--no-instructions', '--no-sync'],
  ]);
  execFileSync(command, args, { ...account, cwd: around, env: serverEnvironment(), stdio: 'ignore' });
  const cluster = { folder, logFile: join(around, 'postgres.log'), user, postgres: join(BIN, 'postgres') };
  const server = await startServer(cluster, {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: `${await freePort()}`,
    fsync: 'off',
  });
  return {
    superuserUrl: `postgres://postgres:secret@127.0.0.1:${server.port}/postgres`,
    async stop() {
      await stopServer(server.pid);
      rmSync(around, { recursive: true, force: true });
    },
  };
}
