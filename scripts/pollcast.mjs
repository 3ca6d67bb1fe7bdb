// The `pollcast` command from a checkout: prepares it first. `npm start` and `npm run sim` come here.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, ROOT } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(ROOT, 'build', 'cli', 'pollcast.js')).href);
