// `npm run lint`: checks lint rules and format, dependency directions, and unused code.
import { install, step } from './prepare.mjs';

install();
step('lint and format', 'biome', ['check', '--error-on-warnings', '.']);
step('dependency directions', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.']);
step('unused code', 'knip', []);
