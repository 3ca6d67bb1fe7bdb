// `npm run bench` and `npm run bench:…`: prepares the checkout and runs a benchmark, with the arguments that follow its name.
import { join } from 'node:path';
import { prepare, ROOT, run } from './prepare.mjs';

const [name, ...args] = process.argv.slice(2);
prepare();
run(process.execPath, [join(ROOT, 'build', 'bench', `${name}.js`), ...args]);
