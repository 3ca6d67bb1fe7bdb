// `npm run simulate`: simulates whole deployments with everything that can go wrong; `-- --help` lists the options.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compile, ROOT } from './prepare.mjs';

compile();
const program = join(ROOT, 'build', 'test', 'simulation', 'simulate.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
