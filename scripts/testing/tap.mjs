// Runs the compiled tests.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../prepare.mjs';
import './parent.mjs';

/** The Node.js arguments that run tap. */
export const TAP = [
  `--import=${new URL('./parent.mjs', import.meta.url)}`,
  join(ROOT, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs'),
  'run',
  '--disable-coverage',
  '--reporter=tap',
];

/** The compiled test files in a folder of the checkout. If `path` is a file, the result is only that file. */
export function testFiles(path) {
  if (path.endsWith('.js')) return [path];
  const found = readdirSync(join(ROOT, path), { recursive: true }).filter((file) => file.endsWith('.test.js'));
  return found.sort().map((file) => join(path, file));
}

/**
 * Runs tap. Prints a line as each test finishes, and the details of all failures at the end.
 *
 * @param paths compiled test files or folders; all tests if empty
 * @param node the Node.js executable to use
 * @returns {Promise<{ passed: number, failed: number }>} the totals that tap reports
 */
export async function runTests(paths = [], node = process.execPath) {
  const files = paths.flatMap(testFiles);
  const child = spawn(node, [...TAP, ...files], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const failures = [];
  let [passed, failed] = [0, 0];
  let isFailure = false;
  createInterface(child.stdout).on('line', (line) => {
    if (/^( {4})?(not )?ok /.test(line)) console.log(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    if (isFailure) failures.push(line);
    // The totals that tap prints. It omits totals that are zero.
    const sum = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line);
    if (sum) [passed, failed] = [Number(sum[1] ?? 0), Number(sum[2] ?? 0)];
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (failures.length > 0) console.log(`\n— failures\n${failures.join('\n')}`);
  if (code !== 0 && failed === 0) failed = 1;
  return { passed, failed };
}

/** Prints "N passed, N failed" as the last line, and sets the exit code accordingly. */
export function report({ passed, failed }, startedAt) {
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
