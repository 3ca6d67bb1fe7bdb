// Builds the pages into build/web: minified, compressed, and without resources from other servers.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const WEB = join(ROOT, 'dashboards', 'pages');
const DONE = join(ROOT, 'build', 'web');
/** The build is written next to the old pages and moved when complete, so a running server never serves a partial build. */
const OUT = `${DONE}.next`;
const PAGES = ['operator', 'screen', 'vote'];

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  outdir: OUT,
};

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const pages = await build({
  ...common,
  entryPoints: PAGES.map((page) => ({ in: join(WEB, page, `${page}.tsx`), out: page })),
  splitting: true,
  chunkNames: 'part-[hash]',
});
// Each script for other sites must be a single file, and so must the service worker.
const alone = await build({
  ...common,
  loader: { '.css': 'text' },
  entryPoints: [
    { in: join(ROOT, 'client', 'stream.ts'), out: 'stream' },
    { in: join(WEB, 'embed', 'pollcast-result.tsx'), out: 'pollcast-result' },
    { in: join(WEB, 'vote', 'worker.ts'), out: 'worker' },
  ],
});
for (const page of PAGES) copyFileSync(join(WEB, page, `${page}.html`), join(OUT, `${page}.html`));
for (const icon of readdirSync(join(WEB, 'icons'))) copyFileSync(join(WEB, 'icons', icon), join(OUT, icon));
const packages = packagesIn([pages, alone]);
writeFileSync(join(OUT, 'licences.txt'), packages.map(licence).join('\n\n'));
// For scripts/sbom.mjs.
writeFileSync(join(ROOT, 'build', 'bundled.json'), `${JSON.stringify(packages)}\n`);
for (const file of readdirSync(OUT)) {
  if (!/\.(js|css|html|svg|txt)$/.test(file)) continue;
  const bytes = readFileSync(join(OUT, file));
  writeFileSync(join(OUT, `${file}.gz`), gzipSync(bytes, { level: 9 }));
  writeFileSync(join(OUT, `${file}.br`), brotliCompressSync(bytes));
}

rmSync(DONE, { recursive: true, force: true });
renameSync(OUT, DONE);

/** The packages in the pages. Their licences must be distributed with the pages. */
function packagesIn(builds) {
  const inputs = builds.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const packages = new Set(
    inputs.map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]).filter(Boolean),
  );
  return [...packages].sort();
}

function licence(name) {
  const folder = join(ROOT, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name}\n\n${file ? readFileSync(join(folder, file), 'utf8') : ''}`;
}
