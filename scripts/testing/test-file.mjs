// Runs one compiled test file, and reads the TAP that it prints.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ROOT } from '../prepare.mjs';

/** Time limit in s of a test file that sets none. At the limit, tap says which test it was in, and ends the process. */
const LIMIT_S = 900;
/** The time in ms after which a process is killed that its own limit has not ended. */
const KILL_AFTER_MS = (LIMIT_S + 20) * 1000;

/** The arguments that run a test file: stack traces name the lines of the sources. */
export const testArguments = (file) => ['--enable-source-maps', file];

/** The environment of a test file. */
export const testEnvironment = (limitS = LIMIT_S) => ({ TAP_TIMEOUT: String(limitS), ...process.env });

/**
 * Runs a test file in a process of its own, without tap’s runner: that one loads module hooks into the process and into every
 * process that a test starts, which took more time than most tests.
 *
 * @param file the path in the checkout
 * @param node the Node.js executable to use
 * @returns {Promise<{ file: string, ms: number, passed: number, failed: number, tests: string[], failures: string[] }>} the
 *   numbers of assertions; a line for each test; and what was printed about those that failed
 */
export async function runFile(file, node) {
  const startedAt = performance.now();
  const options = { cwd: ROOT, env: testEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] };
  const child = spawn(node, testArguments(file), options);
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  const [tests, failures] = [[], []];
  let sum;
  let isFailure = false;
  createInterface(child.stdout).on('line', (line) => {
    if (/^(not )?ok /.test(line)) tests.push(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    // The totals of a file. Numbers that are zero are omitted.
    const totals = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line);
    if (totals) sum = { passed: Number(totals[1] ?? 0), failed: Number(totals[2] ?? 0) };
    else if (isFailure) failures.push(line);
  });
  const end = await new Promise((resolve) => {
    child.on('error', (error) => resolve(`could not run: ${error.message}`));
    child.on('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `exit code ${code}`}`));
  });
  clearTimeout(timer);
  const ms = performance.now() - startedAt;
  const { passed, failed } = sum ?? { passed: 0, failed: 0 };
  // A file whose process fails has failed, whatever it counted, and so has one that did not come to its end.
  const trouble = end || (sum ? '' : 'ended before its last test');
  if (trouble && failed === 0) failures.push(`not ok - ${trouble}`);
  return { file, ms, passed, failed: trouble ? Math.max(1, failed) : failed, tests, failures };
}
