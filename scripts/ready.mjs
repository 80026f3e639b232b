// Runs before every command of package.json, under whatever Node the machine has (20 or later): installs what the
// lockfile asks for when it is not there yet, and refuses a machine for which no Node 24 can be had. It is plain
// JavaScript, without a dependency, because neither exists yet when it runs first.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const INSTALL_WAIT_SECONDS_MAX = 600;

const root = fileURLToPath(new URL('..', import.meta.url));
const lockfile = join(root, 'package-lock.json');
const stamp = join(root, 'node_modules', '.provender-installed');
const installLock = join(root, '.install-lock');

/** The lockfile's hash and the platform: what an installation was made from. */
function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

/** npm's own record of what is in node_modules, if it says the same as the lockfile for all that this machine needs. */
function npmAlreadyInstalled() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  try {
    const wanted = JSON.parse(readFileSync(lockfile, 'utf8')).packages;
    const found = JSON.parse(readFileSync(hidden, 'utf8')).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '' || !path.includes('node_modules/')) return true;
      const there = found[path];
      if (there === undefined) return entry.optional === true && !suits(entry);
      return there.version === entry.version && there.integrity === entry.integrity;
    });
  } catch {
    return false;
  }
}

/** Whether an optional package is made for this platform; one without a word about it may be left out by npm. */
function suits(entry) {
  const os = entry.os === undefined || [entry.os].flat().includes(process.platform);
  const cpu = entry.cpu === undefined || [entry.cpu].flat().includes(process.arch);
  return entry.os !== undefined && entry.libc === undefined && os && cpu;
}

function isInstalled() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  if (!npmAlreadyInstalled()) return false;
  writeStamp(wanted);
  return true;
}

function writeStamp(text) {
  try {
    writeFileSync(stamp, text);
  } catch {
    // A folder that this user may not write is installed all the same; only the next start checks again.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Takes the installation for this process, or gives false while another living process has it. */
function takeInstallLock() {
  try {
    const file = openSync(installLock, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const holder = Number(readFileSync(installLock, 'utf8'));
    if (holder > 0 && !isAlive(holder)) rmSync(installLock, { force: true });
    return false;
  }
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function install() {
  const npm = process.env['npm_execpath'];
  const options = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  console.log('provender: installing what the lockfile asks for (npm ci) …');
  const started = Date.now();
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...options], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', options, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    fail('npm ci failed, see above; mend that (often the network or a full disk) and start again.');
  }
  writeStamp(fingerprint());
  console.log(`provender: installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function ensureInstalled() {
  const giveUpAt = Date.now() + INSTALL_WAIT_SECONDS_MAX * 1000;
  while (!isInstalled()) {
    if (takeInstallLock()) {
      try {
        if (!isInstalled()) install();
      } finally {
        rmSync(installLock, { force: true });
      }
      return;
    }
    if (Date.now() > giveUpAt) fail(`another installation holds ${installLock}; remove that file if none is running.`);
    sleep(200);
  }
}

/** npm 10 installs the package that brings Node but leaves its program out of node_modules/.bin; npm 11 does not. */
function linkNode() {
  const program = join('..', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const bin = join(root, 'node_modules', '.bin');
  if (existsSync(join(bin, program))) symlinkSync(program, join(bin, 'node'));
}

function ensureNode() {
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) linkNode();
  if (existsSync(node) || Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return;
  fail(
    `this platform (${process.platform}-${process.arch}) gets no Node with the installation, and Node ` +
      `${process.versions.node} is too old: install Node ${NODE_MAJOR_MIN} or later.`,
  );
}

function fail(message) {
  throw new Error(message);
}

try {
  ensureInstalled();
  ensureNode();
} catch (error) {
  console.error(`provender: ${error.message}`);
  process.exitCode = 1;
}
