// `npm run bench`, `npm run bench:scaling`: prepares the checkout and runs the benchmarks.
import { join } from 'node:path';
import { prepare, ROOT, run } from './prepare.mjs';

const [name = 'bench'] = process.argv.slice(2);
prepare();
run(process.execPath, [join(ROOT, 'build', 'bench', `${name}.js`)]);
