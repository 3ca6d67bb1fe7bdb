// Runs the compiled tests.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../prepare.mjs';
import { inOrder, PLACES, placesOf } from './order.mjs';
import './parent.mjs';
import { runFile } from './test-file.mjs';

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
 * @returns {Promise<{ passed: number, failed: number }>} the numbers of assertions
 */
export async function runTests(paths = [], node = process.execPath) {
  const files = (paths.length === 0 ? ['build/test'] : paths).flatMap(testFiles);
  const first = await runFiles(inOrder(files), node, PLACES);
  if (first.failed === 0) return first;
  console.log(`\n— failures\n${first.failures.join('\n')}`);
  if (first.failedFiles.length > MAX_REPEATED) return first;
  console.log(`\n— running again, alone: ${first.failedFiles.join(', ')}`);
  const second = await runFiles(first.failedFiles, node, 1);
  if (second.failed > 0) {
    console.log(`\n— failures, also at the second try\n${second.failures.join('\n')}`);
    return first;
  }
  console.log(`\n— UNSTABLE, passed only at the second try: ${first.failedFiles.join(', ')}`);
  return { passed: first.passed + first.failed, failed: 0 };
}

/** Runs test files in the order given, as far as there are places. Prints the lines of each as it ends. */
async function runFiles(files, node, places) {
  const [failures, failedFiles, waiting] = [[], [], [...files]];
  const running = new Map();
  let [passed, failed, done, free] = [0, 0, 0, places];
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((file) => Math.min(placesOf(file), places) <= free);
    if (next >= 0) {
      const [file] = waiting.splice(next, 1);
      free -= Math.min(placesOf(file), places);
      running.set(file, runFile(file, node));
      continue;
    }
    const ended = await Promise.race(running.values());
    running.delete(ended.file);
    free += Math.min(placesOf(ended.file), places);
    passed += ended.passed;
    failed += ended.failed;
    const result = `${ended.failed > 0 ? 'not ok' : 'ok'} ${++done} - ${ended.file} # time=${ended.ms.toFixed(0)}ms`;
    console.log([...ended.tests.map((line) => `    ${line}`), result].join('\n'));
    if (ended.failed === 0) continue;
    failedFiles.push(ended.file);
    failures.push(result, ...ended.failures.map((line) => `    ${line}`));
  }
  return { passed, failed, failures, failedFiles };
}

/** Prints "N passed, N failed" as the last line, and sets the exit code accordingly. */
export function report({ passed, failed }, startedAt) {
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
