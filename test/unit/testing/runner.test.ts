import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { pathInCheckout } from '../../support/root.ts';
import { isRunning } from '../../support/running.ts';

interface Sum {
  readonly passed: number;
  readonly failed: number;
}

interface Result extends Sum {
  readonly failures: readonly string[];
}

const module = (name: string) => JSON.stringify(pathToFileURL(pathInCheckout(`scripts/testing/${name}`)).href);

/** Starts a script that has the runner’s functions, and prints what it resolves with as its last line. */
function start(script: string, env: Record<string, string> = {}): ChildProcess {
  const code = `
    import { runTests } from ${module('tap.mjs')};
    import { runFile } from ${module('test-file.mjs')};
    console.log(JSON.stringify(await ${script}));`;
  const options = { cwd: pathInCheckout(''), env: { ...process.env, ...env } };
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome<T>(script: string, env?: Record<string, string>): Promise<{ output: string; result: T }> {
  const child = start(script, env);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  return { output, result: JSON.parse(output.trim().split('\n').at(-1) ?? '') as T };
}

/** Runs test files or folders. */
const run = (paths: readonly string[]) => outcome<Sum>(`runTests(${JSON.stringify(paths)})`);

/** Runs one test file with shorter limits. */
const runOne = (file: string, limits: object, env?: Record<string, string>) =>
  outcome<Result>(`runFile(${JSON.stringify(file)}, process.execPath, ${JSON.stringify(limits)})`, env);

/** A folder with test files, by name without `.test.js`. */
function folder(t: Test, files: Record<string, string>): string {
  const all = Object.entries(files).map(([name, code]) => [`${name}.test.js`, `import t from 'tap';\n${code}\n`]);
  return t.testdir({ 'package.json': '{ "type": "module" }', ...Object.fromEntries(all) });
}

const countOf = (text: string, part: string) => text.split(part).length - 1;

t.test('a file that several paths name runs once, and its failure counts', async (t) => {
  const tests = folder(t, { bad: "t.fail('bad');", good: "t.pass('good');" });
  const { output, result } = await run([tests, join(tests, 'bad.test.js'), `${tests}/../${tests.split('/').at(-1)}`]);
  t.same(result, { passed: 1, failed: 1 });
  t.equal(countOf(output, 'bad.test.js # time='), 4, 'two runs, each with its failures');
  t.equal(countOf(output, 'good.test.js # time='), 1);
});

t.test('what a file asserts at the second try replaces what it did at the first', async (t) => {
  const unstable = `
    import { existsSync, writeFileSync } from 'node:fs';
    const marker = new URL('marker', import.meta.url);
    if (!existsSync(marker)) {
      writeFileSync(marker, '');
      for (let i = 0; i < 5; i++) t.ok(i > 2);
    } else for (let i = 0; i < 3; i++) t.pass();`;
  const tests = folder(t, { good: 't.pass(); t.pass();', unstable });
  const { output, result } = await run([tests]);
  t.same(result, { passed: 5, failed: 0 });
  t.match(output, /UNSTABLE, passed only at the second try: .*unstable\.test\.js/);
});

t.test('a file that asserts nothing at the second try has failed', async (t) => {
  const lost = `
    import { existsSync, writeFileSync } from 'node:fs';
    const marker = new URL('marker', import.meta.url);
    if (!existsSync(marker)) {
      writeFileSync(marker, '');
      t.fail();
    } else t.end();`;
  const { output, result } = await run([folder(t, { good: 't.pass();', lost })]);
  t.same(result, { passed: 1, failed: 1 });
  t.match(output, 'asserted nothing');
  t.notMatch(output, 'UNSTABLE');
});

t.test('a file that leaves a process with its output behind has failed', async (t) => {
  const left = `
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: ['ignore', 'inherit', 'ignore'], detached: true });
    writeFileSync(new URL('pid', import.meta.url), String(child.pid));
    child.unref();
    t.pass();`;
  const tests = folder(t, { left });
  const { result } = await runOne(join(tests, 'left.test.js'), { leaveMs: 300 });
  process.kill(Number(readFileSync(join(tests, 'pid'), 'utf8')));
  t.match(result, { passed: 1, failed: 1, failures: [/left a process behind/] });
});

t.test('a file that goes on after its time limit is killed, and its last line named', async (t) => {
  const tests = folder(t, {
    stuck: "t.comment('so far'); setImmediate(() => { for (;;); }); await new Promise(() => {});",
  });
  const { result } = await runOne(join(tests, 'stuck.test.js'), { graceMs: 300 }, { TAP_TIMEOUT: '1' });
  t.match(result, { passed: 0, failed: 1, failures: [/killed, .* limit of 1 s; its last line: # so far$/] });
});

t.test('a file may set a longer time limit', async (t) => {
  const slow = `
    t.setTimeout(60_000);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    t.pass();`;
  const tests = folder(t, { slow });
  const { result } = await runOne(join(tests, 'slow.test.js'), { graceMs: 0 }, { TAP_TIMEOUT: '1' });
  t.match(result, { passed: 1, failed: 0, failures: [] });
});

t.test('a test file ends when its runner is killed', async (t) => {
  const endless = `
    import { writeFileSync } from 'node:fs';
    writeFileSync(new URL('pid', import.meta.url), String(process.pid));
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const tests = folder(t, { endless });
  const runner = start(`runTests(${JSON.stringify([tests])})`);
  const pid = await eventually('the test file to start', async () => {
    try {
      return Number(readFileSync(join(tests, 'pid'), 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  });
  t.teardown(() => isRunning(pid) && process.kill(pid, 'SIGKILL'));
  runner.kill('SIGKILL');
  t.ok(await eventually('the end of the test file', async () => (isRunning(pid) ? undefined : true)));
});
