// What is checked without running the code.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bin, ROOT } from './prepare.mjs';

/** Lint rules and format, dependency directions, and unused code: the name, the program and its arguments. */
export const LINT = [
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['dependency directions', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.']],
  ['unused code', 'knip', []],
];
export const PAGE_TYPES = ['types of the pages', 'tsc', ['-p', join('dashboards', 'pages')]];

/**
 * Runs checks at the same time, because each uses one processor. Prints the output of each as it ends. Call `prepare` or `install`
 * before. @returns {Promise<void>} exits with code 1 if one has failed, once all have ended
 */
export async function check(checks) {
  const passed = await Promise.all(checks.map(passes));
  if (passed.includes(false)) process.exit(1);
}

function passes([name, program, args]) {
  const child = spawn(bin(program), args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    const end = (isPassed, more = '') => {
      console.log(`\n— ${name}${isPassed ? '' : ': FAILED'}\n${output}${more}`.trimEnd());
      resolve(isPassed);
    };
    child.on('error', (error) => end(false, error.message)).on('close', (code) => end(code === 0));
  });
}
