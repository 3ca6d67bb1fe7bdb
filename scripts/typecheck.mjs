// `npm run typecheck`: checks all types without writing compiled files.
import { join } from 'node:path';
import { check, PAGE_TYPES } from './checks.mjs';
import { install } from './prepare.mjs';

install();
// A separate build info file, because the build’s own file records what was compiled, and nothing is compiled here.
const types = ['-p', '.', '--noEmit', '--tsBuildInfoFile', join('build', '.typecheck.tsbuildinfo')];
await check([['types', 'tsc', types], PAGE_TYPES]);
