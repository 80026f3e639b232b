import { spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * As whom the server runs. PostgreSQL refuses to run as root, so root needs one of the other two:
 * `namespace`, where root looks like an ordinary user to the server, and `user`, an unprivileged account.
 */
export type ServerUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number };

const NOBODY = 65_534;
const UNSHARE = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

/**
 * Decides as whom the server of a folder runs. An ordinary user runs it himself. For root, the owner of the cluster (or
 * of the folder that a new one is made in) decides: a server in somebody's home runs as that person, who alone can
 * reach into it; elsewhere a user namespace is taken where the kernel allows one, else the account `nobody`.
 */
export function chooseServerUser(
  dataFolder: string,
  owner: { readonly uid: number; readonly gid: number },
  probe: string,
): ServerUser {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  if (owner.uid !== 0) return { kind: 'user', uid: owner.uid, gid: owner.gid };
  if (namespaceWorks(dataFolder, probe)) return { kind: 'namespace' };
  return { kind: 'user', uid: NOBODY, gid: NOBODY };
}

/** The command, its arguments and the account to spawn it under, for a program that is to run as that user. */
export function commandAs(
  user: ServerUser,
  program: string,
  args: readonly string[],
): { command: string; args: readonly string[]; account: { uid?: number; gid?: number } } {
  if (user.kind === 'namespace') return { command: 'unshare', args: [...UNSHARE, program, ...args], account: {} };
  if (user.kind === 'user') return { command: program, args, account: { uid: user.uid, gid: user.gid } };
  return { command: program, args, account: {} };
}

/** Gives a folder and what is in it to the account that the server runs under. Links are not followed. */
export function giveTo(user: ServerUser, path: string): void {
  if (user.kind !== 'user') return;
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  if (found.uid !== user.uid) chownSync(path, user.uid, user.gid);
  if (found.isDirectory()) for (const name of readdirSync(path)) giveTo(user, join(path, name));
}

function namespaceWorks(dataFolder: string, probe: string): boolean {
  const script = 'test -w "$0" && exec "$1" --version';
  const result = spawnSync('unshare', [...UNSHARE, 'sh', '-c', script, dataFolder, probe], { stdio: 'ignore' });
  return result.status === 0;
}
