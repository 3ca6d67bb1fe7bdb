// Runs the `pollcast` command from a checkout, which it prepares first. Used by `npm start` and `npm run sim`.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, ROOT } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(ROOT, 'build', 'cli', 'pollcast.js')).href);
