// `npm test`: installs what the tests need, checks lint rules, dependency directions, unused code and types, then runs all tests.
import { check, LINT, PAGE_TYPES } from './checks.mjs';
import { install, prepare } from './prepare.mjs';
import { installPrograms } from './testing/programs.mjs';
import { report, runTests } from './testing/tap.mjs';

const startedAt = Date.now();
// The programs are installed and the checks run while this process compiles.
const programs = installPrograms();
install();
const checks = check([...LINT, PAGE_TYPES]);
prepare();
await Promise.all([programs, checks]);
console.log('\n— tests');
report(await runTests(process.argv.slice(2)), startedAt);
