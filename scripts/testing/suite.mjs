// `npm run test:unit`, `test:contract`, `test:system`, `test:pages`: runs the tests of one folder. Arguments select files:
// `npm run test:unit -- fold` runs the files whose path contains "fold". Unit tests need nothing but Node.js.
import { compile, fail, prepare } from '../prepare.mjs';
import { installPrograms } from './programs.mjs';
import { report, runTests, testFiles } from './tap.mjs';

const [suite, ...names] = process.argv.slice(2);
const startedAt = Date.now();
if (suite === 'unit') {
  compile();
} else {
  prepare();
  await installPrograms();
}
const files = testFiles(`build/test/${suite}`).filter(
  (file) => names.length === 0 || names.some((name) => file.includes(name)),
);
if (files.length === 0) fail(`no test file in test/${suite} has ${names.join(' or ')} in its path`);
report(await runTests(files), startedAt);
