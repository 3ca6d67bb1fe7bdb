// `npm run test:node-lts`: the same tests on the newest Node.js with long-term support, which the npm package `node`
// carries. Run `npm test` before: it installs the programs that tests need.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT, run } from './prepare.mjs';
import { runTests } from './tap.mjs';

const LTS = '26.10.0';
/** Outside the checkout's node_modules: there it would become the `node` of every script. */
const FOLDER = join(ROOT, 'build', 'node-lts');
const NODE = join(FOLDER, 'node_modules', 'node', 'bin', 'node');

const startedAt = Date.now();
prepare();
if (!existsSync(NODE)) {
  mkdirSync(FOLDER, { recursive: true });
  const flags = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', FOLDER];
  run('npm', ['install', ...flags, `node@${LTS}`]);
}
console.log(`\n— tests on Node.js ${LTS}`);
const { passed, failed } = await runTests(process.argv.slice(2), NODE);
console.log(`\n${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
