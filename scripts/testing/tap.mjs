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

/** How many test files may fail and still be run a second time. More failures are no accident. */
const MAX_REPEATED = 3;

/**
 * Runs test files. Files that fail are run once more, alone: many tests start servers and kill them, and a busy machine can be
 * too slow for one of them. What fails twice has failed. What failed once is named at the end, with the failure.
 *
 * @param paths compiled test files or folders; all tests if empty
 * @param node the Node.js executable to use
 * @returns {Promise<{ passed: number, failed: number }>} the totals that tap reports
 */
export async function runTests(paths = [], node = process.execPath) {
  const files = paths.flatMap(testFiles);
  const first = await runTap(files, node);
  if (first.failed === 0) return first;
  console.log(`\n— failures\n${first.failures.join('\n')}`);
  if (first.failedFiles.length === 0 || first.failedFiles.length > MAX_REPEATED) return first;
  console.log(`\n— running again, alone: ${first.failedFiles.join(', ')}`);
  const second = await runTap(first.failedFiles, node, ['--jobs=1']);
  if (second.failed > 0) {
    console.log(`\n— failures, also at the second try\n${second.failures.join('\n')}`);
    return first;
  }
  console.log(`\n— UNSTABLE, passed only at the second try: ${first.failedFiles.join(', ')}`);
  return { passed: first.passed + first.failed, failed: 0 };
}

/** Runs tap. Prints a line as each test finishes. */
async function runTap(files, node, options = []) {
  const child = spawn(node, [...TAP, ...options, ...files], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const [failures, failedFiles] = [[], []];
  let [passed, failed] = [0, 0];
  let isFailure = false;
  createInterface(child.stdout).on('line', (line) => {
    if (/^( {4})?(not )?ok /.test(line)) console.log(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    if (isFailure) failures.push(line);
    const file = /^not ok \d+ - (\S+\.test\.js)/.exec(line)?.[1];
    if (file) failedFiles.push(file);
    // The totals that tap prints. It omits totals that are zero.
    const sum = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line);
    if (sum) [passed, failed] = [Number(sum[1] ?? 0), Number(sum[2] ?? 0)];
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0 && failed === 0) failed = 1;
  return { passed, failed, failures, failedFiles };
}

/** Prints "N passed, N failed" as the last line, and sets the exit code accordingly. */
export function report({ passed, failed }, startedAt) {
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
