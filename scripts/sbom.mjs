// `npm run sbom`: writes build/sbom.cdx.json, a list of every package in a release (CycloneDX): the production dependencies, and
// what is bundled into the pages.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, ROOT } from './prepare.mjs';

prepare();
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const { status, stdout, stderr } = spawnSync(npm, ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (status !== 0) fail(`npm sbom failed: ${stderr}`);
const bundled = new Set(JSON.parse(readFileSync(join(ROOT, 'build', 'bundled.json'), 'utf8')));
const bom = JSON.parse(stdout);
const isReleased = ({ group, name, properties = [] }) => {
  const isDev = properties.some((one) => one.name === 'cdx:npm:package:development' && one.value === 'true');
  return !isDev || bundled.has(group ? `${group}/${name}` : name);
};
bom.components = bom.components.filter(isReleased);
const kept = new Set([bom.metadata.component['bom-ref'], ...bom.components.map((one) => one['bom-ref'])]);
bom.dependencies = bom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
const path = join(ROOT, 'build', 'sbom.cdx.json');
writeFileSync(path, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${path}: ${bom.components.length} packages`);
