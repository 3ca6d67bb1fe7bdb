// Runs the compiled tests.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './prepare.mjs';

/**
 * Runs tap; shows a line per test as it ends, and at the end all of what failed.
 *
 * @param files test files; none: all
 * @param node the Node.js to run them with
 * @returns {Promise<{ passed: number, failed: number }>} the runner's own result
 */
export async function runTests(files = [], node = process.execPath) {
  const tap = join(ROOT, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
  const child = spawn(node, [tap, 'run', '--disable-coverage', '--reporter=tap', ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failures = [];
  let [passed, failed] = [0, 0];
  let isFailure = false;
  createInterface(child.stdout).on('line', (line) => {
    if (/^( {4})?(not )?ok /.test(line)) console.log(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    if (isFailure) failures.push(line);
    // tap's own sum; figures that are zero are left out.
    const sum = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line);
    if (sum) [passed, failed] = [Number(sum[1] ?? 0), Number(sum[2] ?? 0)];
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (failures.length > 0) console.log(`\n— what failed\n${failures.join('\n')}`);
  if (code !== 0 && failed === 0) failed = 1;
  return { passed, failed };
}
