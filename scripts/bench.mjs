// `npm run bench`: prepares the checkout and runs the benchmarks.
import { join } from 'node:path';
import { prepare, ROOT, run } from './prepare.mjs';

prepare();
run(process.execPath, [join(ROOT, 'build', 'bench', 'bench.js'), ...process.argv.slice(2)]);
