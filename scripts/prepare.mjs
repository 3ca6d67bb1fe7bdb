// Makes a checkout ready to run: installs what the lockfile says and compiles what changed. Needs only Node.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LEAST_NODE = 20;
const NOT_SOURCES = new Set(['node_modules', 'build', 'data', '.git', '.tap', 'docs', 'artifacts']);

/** Runs a command with its output shown; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) fail(`could not run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs and compiles, each only when needed. */
export function prepare() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < LEAST_NODE) fail(`Node.js ${LEAST_NODE} or newer is needed; this is ${process.versions.node}`);
  const lock = join(ROOT, 'package-lock.json');
  if (newest(join(ROOT, 'node_modules', '.package-lock.json')) < newest(lock)) {
    console.error('pollcast: installing packages …');
    run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const compiled = join(ROOT, 'build', '.tsbuildinfo');
  if (newest(compiled) < Math.max(newestSource(ROOT), newest(lock))) {
    console.error('pollcast: compiling …');
    run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', ROOT]);
  }
  // Built last of all files: when it is there, all are.
  if (newest(join(ROOT, 'build', 'web', 'licences.txt')) < Math.max(newestSource(ROOT), newest(lock))) {
    console.error('pollcast: building the pages …');
    run(process.execPath, [join(ROOT, 'scripts', 'web.mjs')]);
  }
}

export function fail(message) {
  console.error(`pollcast: ${message}`);
  process.exit(1);
}

function newest(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/** When the youngest source of what is compiled was changed. */
function newestSource(folder) {
  let found = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found = NOT_SOURCES.has(entry.name) ? found : Math.max(found, newestSource(path));
    else if (/\.(tsx?|css|html)$|^tsconfig\.json$|^web\.mjs$/.test(entry.name) || folder.endsWith('words'))
      found = Math.max(found, newest(path));
  }
  return found;
}
