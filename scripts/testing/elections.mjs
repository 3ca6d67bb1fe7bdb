// `npm run test:elections -- <folder>`: counts the ballot files of real elections in a folder, and compares the winners with
// the published ones. test/elections/SOURCES.md says where the files come from.
import { resolve } from 'node:path';
import { compile, fail } from '../prepare.mjs';
import { report, runTests } from './tap.mjs';

const [folder] = process.argv.slice(2);
if (folder === undefined)
  fail('pass the folder with the ballot files; test/elections/SOURCES.md says what it must contain');
process.env.POLLCAST_BALLOT_FILES = resolve(folder);
const startedAt = Date.now();
compile();
report(await runTests(['build/test/elections/published.js']), startedAt);
