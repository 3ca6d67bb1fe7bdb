// `npm run lint`: checks lint rules and format, dependency directions, and unused code.
import { check, LINT } from './checks.mjs';
import { install } from './prepare.mjs';

install();
await check(LINT);
