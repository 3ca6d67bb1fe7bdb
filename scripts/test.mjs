// `npm test`: installs what the tests need, checks lint rules, dependency directions, unused code and types, then runs all tests.
import { join } from 'node:path';
import { prepare, step } from './prepare.mjs';
import { installPrograms } from './testing/programs.mjs';
import { report, runTests } from './testing/tap.mjs';

const startedAt = Date.now();
prepare();
installPrograms();
await import('./lint.mjs');
step('types of the pages', 'tsc', ['-p', join('dashboards', 'pages')]);
console.log('\n— tests');
report(await runTests(process.argv.slice(2)), startedAt);
