// `npm run typecheck`: checks all types without writing compiled files.
import { join } from 'node:path';
import { install, step } from './prepare.mjs';

install();
// A separate build info file, because the build’s own file records what was compiled, and nothing is compiled here.
step('types', 'tsc', ['-p', '.', '--noEmit', '--tsBuildInfoFile', join('build', '.typecheck.tsbuildinfo')]);
step('types of the pages', 'tsc', ['-p', join('dashboards', 'pages')]);
