// Runs one compiled test file, and reads the TAP that it prints.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ROOT } from '../prepare.mjs';

/** Time limit in s of a test file that sets none. At the limit, tap says which test it was in, and ends the process. */
const LIMIT_S = 900;
/** The time in ms after its own limit at which a process is killed that tap has not ended. */
const GRACE_MS = 20_000;
/** The longest time in ms that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** How long in ms the output of a process that has ended may stay open: by then, what it started should have ended, too. */
const LEAVE_MS = 5_000;
/** How a process ends of which assertions have failed. */
const FAILED = 'ended with exit code 1';

/** Ends a process of tests when the one that started it has been killed. */
export const WITH_PARENT = `--import=${new URL('parent.mjs', import.meta.url).href}`;

/** The arguments that run a test file: stack traces name the lines of the sources. */
export const testArguments = (file) => [WITH_PARENT, '--enable-source-maps', file];

/** The environment of a test file. */
export const testEnvironment = (limitS = LIMIT_S) => ({ TAP_TIMEOUT: String(limitS), ...process.env });

/**
 * Runs a test file in a process of its own, without tap’s runner: that one loads module hooks into the process and into every
 * process that a test starts, which took more time than most tests.
 *
 * @param file the path in the checkout
 * @param node the Node.js executable to use
 * @param limits `graceMs` and `leaveMs`, in place of `GRACE_MS` and `LEAVE_MS`
 * @returns {Promise<{ file: string, ms: number, passed: number, failed: number, tests: string[], failures: string[] }>} the
 *   numbers of assertions; a line for each test; and what was printed about those that failed
 */
export async function runFile(file, node, { graceMs = GRACE_MS, leaveMs = LEAVE_MS } = {}) {
  const startedAt = performance.now();
  const env = testEnvironment();
  const child = spawn(node, testArguments(file), { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const limit = new Limit(child, Number(env.TAP_TIMEOUT) * 1000, graceMs);
  const [tests, failures] = [[], []];
  let sum;
  let isFailure = false;
  let last = '';
  createInterface(child.stdout).on('line', (line) => {
    last = line.trim() || last;
    if (/^(not )?ok /.test(line)) tests.push(line);
    if (/^ *(not )?ok |^ *# Subtest/.test(line)) isFailure = /^ *not ok /.test(line);
    // The totals of a file. `fail`, `todo` and `skip` are omitted if they are zero.
    const totals = /^# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?/.exec(line);
    if (totals) sum = { passed: Number(totals[1]), failed: Number(totals[2] ?? 0) };
    else if (isFailure) failures.push(line);
  });
  const end = await endOf(child, leaveMs);
  limit.stop();
  const ms = performance.now() - startedAt;
  const { passed, failed } = sum ?? { passed: 0, failed: 0 };
  const killed =
    limit.isOver && `killed, because it went on after its time limit of ${limit.seconds} s; its last line: ${last}`;
  // A file whose process fails has failed, whatever it counted, and so has one that did not come to its end.
  const trouble = killed || end || (sum ? '' : 'ended before its last test');
  if (trouble && (failed === 0 || trouble !== FAILED)) failures.push(`not ok - ${trouble}`);
  return { file, ms, passed, failed: trouble ? Math.max(1, failed) : failed, tests, failures };
}

/** Kills a test file that goes on after its time limit, which it changes by `t.setTimeout`: tap tells its parent process. */
class Limit {
  /** True once the process was killed. */
  isOver = false;
  seconds = 0;
  #timer;

  constructor(child, limitMs, graceMs) {
    const set = (ms) => {
      // tap also says 0, when a file has ended or is out of time: until then, the limit was right.
      if (!(ms > 0)) return;
      clearTimeout(this.#timer);
      this.seconds = ms / 1000;
      this.#timer = setTimeout(
        () => {
          this.isOver = child.kill('SIGKILL');
        },
        Math.min(ms + graceMs, MAX_TIMER_MS),
      );
    };
    set(limitMs);
    child.on('message', (message) => set(message?.setTimeout));
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/**
 * Resolves once a process has ended and its output is complete, with an empty text or what went wrong. A process that it started
 * and that outlives it may keep its output open for ever, so that is closed after `leaveMs`.
 */
function endOf(child, leaveMs) {
  return new Promise((resolve) => {
    let timer;
    const how = (code, signal) => (code === 0 ? '' : `ended with ${signal ?? `exit code ${code}`}`);
    child.on('error', (error) => resolve(`could not run: ${error.message}`));
    child.on('exit', (code, signal) => {
      timer = setTimeout(() => {
        child.stdout.destroy();
        resolve(`${how(code, signal) || 'ended'}, but left a process behind, which keeps its output open`);
      }, leaveMs);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(how(code, signal));
    });
  });
}
