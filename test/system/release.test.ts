/** The list of packages that comes with a release. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { pathInCheckout } from '../support/root.ts';

t.test('the bill of materials lists what is released, and nothing else', async (t) => {
  execFileSync(process.execPath, [pathInCheckout('scripts/sbom.mjs')]);
  const bom = JSON.parse(readFileSync(pathInCheckout('build/sbom.cdx.json'), 'utf8'));
  t.equal(bom.bomFormat, 'CycloneDX');
  const components = bom.components as { group?: string; name: string; version: string; licenses?: object[] }[];
  const names = components.map(({ group, name }) => (group ? `${group}/${name}` : name));
  for (const name of ['fastify', 'lmdb', '@peculiar/x509', 'preact', 'u8-mqtt', 'uplot'])
    t.ok(names.includes(name), name);
  for (const name of ['tap', 'typescript', 'esbuild', 'playwright-core']) t.notOk(names.includes(name), name);
  for (const { name, version, licenses = [] } of components) t.ok(version && licenses.length > 0, name);
  const refs = new Set([
    bom.metadata.component['bom-ref'],
    ...bom.components.map((one: object) => Reflect.get(one, 'bom-ref')),
  ]);
  for (const { ref, dependsOn } of bom.dependencies)
    t.ok(
      [ref, ...dependsOn].every((one) => refs.has(one)),
      ref,
    );
});
