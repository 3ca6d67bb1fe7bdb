// Makes a checkout ready to run: installs the packages in the lockfile, compiles, and builds the pages. Needs only Node.js.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MIN_NODE = 20;
const NOT_SOURCES = new Set(['node_modules', 'build', 'data', '.git', '.tap', 'docs', 'artifacts']);
/** The Lua scripts that run inside Redis. The compiler does not copy them. */
const LUA = join('core', 'store', 'redis', 'scripts');
const LOCK = join(ROOT, 'package-lock.json');

/** Runs a command and shows its output. If it fails, exits with its exit code. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) fail(`could not run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** The path of a program that an npm package provides. */
export const bin = (name) => join(ROOT, 'node_modules', '.bin', name);

/** Installs packages, compiles, and builds the pages, each only if needed. */
export function prepare() {
  compile();
  // This file is written last, so if it is up to date, all files are.
  if (newest(join(ROOT, 'build', 'web', 'licences.txt')) < Math.max(newestSource(ROOT), newest(LOCK))) {
    console.error('pollcast: building the pages …');
    run(process.execPath, [join(ROOT, 'scripts', 'web.mjs')]);
  }
}

/** Installs packages and compiles, each only if needed, without building the pages. */
export function compile() {
  install();
  sweep(join(ROOT, 'build', 'test'));
  const stamp = join(ROOT, 'build', '.tsbuildinfo');
  if (newest(stamp) >= Math.max(newestSource(ROOT), newest(LOCK))) return;
  console.error('pollcast: compiling …');
  const startedAt = new Date();
  run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', ROOT]);
  cpSync(join(ROOT, LUA), join(ROOT, 'build', LUA), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  // Set the stamp’s time, because the compiler does not touch the stamp if a change had no effect on its output.
  utimesSync(stamp, startedAt, startedAt);
}

/** Installs the packages in the lockfile, if they are missing or out of date. */
export function install() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE) fail(`Node.js ${MIN_NODE} or newer is required; this is ${process.versions.node}`);
  if (newest(join(ROOT, 'node_modules', '.package-lock.json')) >= newest(LOCK)) return;
  console.error('pollcast: installing packages …');
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

export function fail(message) {
  console.error(`pollcast: ${message}`);
  process.exit(1);
}

function newest(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/** The time of the last change to a source of the build. */
function newestSource(folder) {
  let found = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found = NOT_SOURCES.has(entry.name) ? found : Math.max(found, newestSource(path));
    else if (/\.(tsx?|css|html|lua)$|^tsconfig\.json$|^web\.mjs$/.test(entry.name) || folder.endsWith('words'))
      found = Math.max(found, newest(path));
  }
  return found;
}

/** Removes compiled tests whose source was renamed or deleted, because they would still run. */
function sweep(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sweep(path);
    else if (path.endsWith('.test.js')) {
      const source = join(ROOT, relative(join(ROOT, 'build'), path)).replace(/js$/, 'ts');
      if (!existsSync(source)) rmSync(path);
    }
  }
}
