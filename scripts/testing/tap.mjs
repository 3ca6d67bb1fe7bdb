// Runs the compiled tests.
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ROOT } from '../prepare.mjs';
import { inOrder, nextOf, PLACES, placesIn } from './order.mjs';
import './parent.mjs';
import { runFile } from './test-file.mjs';

/** The compiled test files in a folder, or the one that `path` is, as paths in the checkout. */
export function testFiles(path) {
  const full = resolve(ROOT, path);
  if (path.endsWith('.js')) return [relative(ROOT, full)];
  const found = readdirSync(full, { recursive: true }).filter((file) => file.endsWith('.test.js'));
  return found.sort().map((file) => relative(ROOT, join(full, file)));
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
  // Paths may overlap.
  const files = [...new Set((paths.length === 0 ? ['build/test'] : paths).flatMap(testFiles))];
  const first = await runFiles(inOrder(files), node, PLACES);
  const failed = first.filter(hasFailed);
  if (failed.length === 0) return sumOf(first);
  console.log(`\n— failures\n${failed.map(failuresOf).join('\n')}`);
  if (failed.length > MAX_REPEATED) return sumOf(first);
  const again = failed.map(({ file }) => file);
  console.log(`\n— running again, alone: ${again.join(', ')}`);
  const second = await runFiles(again, node, 1, { mustAssert: true });
  const still = second.filter(hasFailed);
  if (still.length > 0) console.log(`\n— failures, also at the second try\n${still.map(failuresOf).join('\n')}`);
  const unstable = second.filter((result) => !hasFailed(result)).map(({ file }) => file);
  if (unstable.length > 0) console.log(`\n— UNSTABLE, passed only at the second try: ${unstable.join(', ')}`);
  return sumOf([...first.filter((result) => !hasFailed(result)), ...second]);
}

/**
 * Runs test files in the order given, as far as there are places. Prints the lines of each as it ends.
 *
 * @param mustAssert whether a file that asserts nothing has failed
 */
async function runFiles(files, node, places, { mustAssert = false } = {}) {
  const [results, waiting, running] = [[], [...files], new Set()];
  let free = places;
  while (waiting.length > 0 || running.size > 0) {
    const next = nextOf(waiting, free, places);
    if (next >= 0) {
      const [file] = waiting.splice(next, 1);
      free -= placesIn(file, places);
      const run = runFile(file, node).then((result) => ({ run, result }));
      running.add(run);
      continue;
    }
    const { run, result } = await Promise.race(running);
    if (mustAssert && result.passed + result.failed === 0) {
      result.failed = 1;
      result.failures.push('not ok - asserted nothing');
    }
    running.delete(run);
    free += placesIn(result.file, places);
    const is = hasFailed(result) ? 'not ok' : 'ok';
    const line = `${is} ${results.length + 1} - ${result.file} # time=${result.ms.toFixed(0)}ms`;
    results.push({ ...result, line });
    console.log([...indented(result.tests), line].join('\n'));
  }
  return results;
}

const hasFailed = ({ failed }) => failed > 0;
const indented = (lines) => lines.map((line) => `    ${line}`);
const failuresOf = ({ line, failures }) => [line, ...indented(failures)].join('\n');
const sumOf = (results) => ({
  passed: results.reduce((sum, { passed }) => sum + passed, 0),
  failed: results.reduce((sum, { failed }) => sum + failed, 0),
});

/** Prints "N passed, N failed" as the last line, and sets the exit code accordingly. */
export function report({ passed, failed }, startedAt) {
  console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
