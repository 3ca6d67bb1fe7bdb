// `npm run dev`: runs `pollcast up --demo` and watches the sources. When code changes, it is recompiled and the server restarts.
// When pages change, they are rebuilt without a restart. If something does not compile, the last working version keeps running.
// The data directory is emptied at startup and whenever the demo changes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, watch } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { prepare, ROOT } from './prepare.mjs';

const POLLCAST = join(ROOT, 'build', 'cli', 'pollcast.js');
const DATA = join('build', 'dev-data');
/** The folders that the pages are built from. */
const PAGES = ['dashboards/pages', 'core/voting', 'client'];
/** Time in ms to wait for further changes, because editors may write a file several times. */
const SETTLE_MS = 100;
/** Time limit in ms for a server to stop. */
const STOP_LIMIT_MS = 5_000;

/** Files compiled since the server was last started. */
const changed = new Set();
let server;
let isWelcomed = false;
let isEnding = false;
/** Only one restart, and one build of the pages, runs at a time. */
const restart = oneAtATime(async () => {
  const why = [...changed].map((file) => file.replace(/\.js$/, '.ts')).join(', ');
  const isNewDemo = changed.has(join('app', 'demo.js'));
  changed.clear();
  await stop();
  if (!isWelcomed || isNewDemo) rmSync(join(ROOT, DATA), { recursive: true, force: true });
  await start(why);
});
const buildPages = oneAtATime(async () => {
  const startedAt = Date.now();
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'web.mjs')], { stdio: 'inherit' });
  const [code] = await once(child, 'close');
  say(
    code === 0 ? `pages built in ${Date.now() - startedAt} ms` : 'building the pages failed; the old ones stay in use',
  );
});

prepare();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
process.on('exit', () => server?.kill('SIGKILL'));
watchSources();
watchPages();
void restart();

function watchSources() {
  const system = {
    ...ts.sys,
    writeFile(path, ...rest) {
      const file = relative(join(ROOT, 'build'), path);
      if (file.endsWith('.js') && !file.startsWith('test')) changed.add(file);
      ts.sys.writeFile(path, ...rest);
    },
  };
  const host = ts.createWatchCompilerHost(
    join(ROOT, 'tsconfig.json'),
    {},
    system,
    ts.createEmitAndSemanticDiagnosticsBuilderProgram,
    (diagnostic) => console.error(ts.formatDiagnosticsWithColorAndContext([diagnostic], host.format)),
    (_diagnostic, _newLine, _options, errors) => {
      if (errors === undefined) return;
      if (errors > 0)
        say(`${errors} error${errors === 1 ? '' : 's'}; the server keeps running the last working version`);
      else if (changed.size > 0) void restart();
    },
  );
  host.format = {
    getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  };
  ts.createWatchProgram(host);
}

function watchPages() {
  let timer;
  // Watch each folder separately: recursive watching in Node.js 20 loses track of files that an editor replaces.
  for (const folder of PAGES.flatMap(foldersOf)) {
    watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(buildPages, SETTLE_MS);
    });
  }
}

/** A folder and all its subfolders. */
function foldersOf(path) {
  const entries = readdirSync(join(ROOT, path), { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => foldersOf(join(path, name)));
  return [join(ROOT, path), ...below];
}

async function start(why) {
  const startedAt = Date.now();
  const env = { POLLCAST_LOG_LEVEL: 'warn', ...process.env };
  const args = [POLLCAST, 'up', '--demo', '--data-dir', DATA, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  server = child;
  child.once('close', (code) => {
    if (server !== child) return;
    server = undefined;
    if (!isEnding) say(`the server exited with ${code}; the next change restarts it`);
  });
  // The server prints its addresses when it has started. They never change, so they are shown only once.
  const [welcome] = await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  if (!server || isEnding) return;
  if (isWelcomed) say(`restarted in ${Date.now() - startedAt} ms: ${why}`);
  else console.log(String(welcome));
  isWelcomed = true;
}

async function stop() {
  const child = server;
  server = undefined;
  if (!child) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await closed;
  clearTimeout(timer);
}

async function end() {
  if (isEnding) return;
  isEnding = true;
  await stop();
  process.exit();
}

/** Wraps `work` so that runs never overlap. If there are calls during a run, there is one more run afterwards. */
function oneAtATime(work) {
  let isRequested = false;
  let isWorking = false;
  return async () => {
    isRequested = true;
    if (isWorking) return;
    isWorking = true;
    while (isRequested && !isEnding) {
      isRequested = false;
      await work();
    }
    isWorking = false;
  };
}

function say(text) {
  console.log(`pollcast: ${text}`);
}
