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

export type Account = { readonly uid: number; readonly gid: number };

/** The data folder, and the folder around it that was there before. */
export type Folders = { readonly data: string; readonly around: string };

const NOBODY = 65_534;
const UNSHARE = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

/**
 * Decides as whom the server of a folder runs. An ordinary user runs it himself. For root, the owner of the cluster (or
 * of the folder that a new one is made in) decides: a server in somebody's home runs as that person, who alone can
 * reach into it. Elsewhere a user namespace is taken where the kernel allows one, else the owner of the programs, else
 * the account `nobody`. Throws when none of them can both reach the folder and run the programs.
 */
export function chooseServerUser(folders: Folders, owner: Account, programs: Account, probe: string): ServerUser {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const candidates: ServerUser[] = [
    ...(owner.uid === 0 ? [] : [accountOf(owner)]),
    { kind: 'namespace' },
    ...(programs.uid === 0 ? [] : [accountOf(programs)]),
    accountOf({ uid: NOBODY, gid: NOBODY }),
  ];
  const found = candidates.find((user) => works(user, folders, probe));
  if (found !== undefined) return found;
  throw new Error(
    `PostgreSQL does not run as root, and no other account reaches both ${folders.data} and ${probe}: ` +
      'start Provender as an ordinary user, or set PROVENDER_DATA to another folder',
  );
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

/** Gives the files that lie directly in a folder to that account, not those within its folders. */
export function giveFilesTo(user: ServerUser, folder: string): void {
  if (user.kind !== 'user') return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) chownSync(join(folder, entry.name), user.uid, user.gid);
  }
}

function accountOf({ uid, gid }: Account): ServerUser {
  return { kind: 'user', uid, gid };
}

/** Whether a user can run the programs and get to the folder. An account is given it later: its surroundings count. */
function works(user: ServerUser, folders: Folders, probe: string): boolean {
  const reach = user.kind === 'namespace' ? 'test -w "$0"' : 'cd "$1"';
  const script = `${reach} && exec "$2" --version`;
  const { command, args, account } = commandAs(user, 'sh', ['-c', script, folders.data, folders.around, probe]);
  return spawnSync(command, args, { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}
