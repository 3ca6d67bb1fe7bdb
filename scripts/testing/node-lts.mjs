// `npm run test:node-lts`: runs all tests on the newest Node.js with long-term support, installed from the npm package
// `node`. Run `npm test` first: it installs the programs that the tests need.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT, run } from '../prepare.mjs';
import { report, runTests } from './tap.mjs';

const LTS = '26.10.0';
/** Not in the checkout’s node_modules, because every npm script would then use this version as its `node`. */
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
report(await runTests(process.argv.slice(2), NODE), startedAt);
