// `npm run test:paho -- FOLDER [NAME…] [--version 5] [--port PORT]`: runs Eclipse Paho's conformance tests of MQTT brokers one by
// one; with names, only the tests whose names contain one of them.
// FOLDER is a checkout of github.com/eclipse/paho.mqtt.testing, which is not part of this project. The tests need free topics,
// so they run against a broker that only tests can start (test/conformance/broker.ts), or against another broker on PORT.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, prepare, ROOT } from '../prepare.mjs';
import { LEFT_OUT } from './paho-left-out.mjs';
import { report } from './tap.mjs';

/** Time limit in ms of one test. The longest waits for a keep alive to run out. */
const TEST_LIMIT_MS = 120_000;
const SUITES = { '3.1.1': 'client_test', 5: 'client_test5' };

/**
 * Python: runs one test of a suite (argv: folder, suite, port, test); without a test, prints the names of all tests. Sets what the
 * suite’s own main program would set; `will_message_test` is a test that its main program does not find.
 */
const RUN = `
import sys, unittest
folder, name, port = sys.argv[1:4]
sys.path.insert(0, folder)
suite = __import__(name)
if len(sys.argv) == 4:
    print('\\n'.join(n for n in dir(suite.Test) if n.startswith('test') or n.endswith('_test')))
    sys.exit()
suite.host, suite.port, suite.topic_prefix = '127.0.0.1', int(port), 'client_test5/'
suite.topics = ('TopicA', 'TopicA/B', 'Topic/C', 'TopicA/C', '/TopicA')
suite.wildtopics = ('TopicA/+', '+/C', '#', '/#', '/+', '+/+', 'TopicA/#')
suite.nosubscribe_topics = ('test/nosubscribe',)
result = unittest.TextTestRunner(stream=sys.stdout).run(unittest.TestSuite([suite.Test(sys.argv[4])]))
sys.exit(not result.wasSuccessful())
`;

const startedAt = Date.now();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { version: { type: 'string', default: '3.1.1' }, port: { type: 'string' } },
});
const [folder, ...wanted] = positionals;
const suite = SUITES[values.version];
if (!folder || !suite)
  fail(
    'usage: npm run test:paho -- FOLDER [NAME…] [--version 3.1.1|5] [--port PORT]; FOLDER is a checkout of paho.mqtt.testing',
  );
const path = join(resolve(folder), 'interoperability');
if (!existsSync(join(path, `${suite}.py`)))
  fail(`${path} has no ${suite}.py; is ${folder} a checkout of paho.mqtt.testing?`);

if (values.port === undefined) prepare();
const all = (await python([path, suite, '0'])).output.trim().split('\n');
const names = all.filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
// Which tests another broker should pass is not known here, so all of them run.
const leftOut = values.port === undefined ? LEFT_OUT[values.version] : {};
const unknown = Object.keys(leftOut).filter((name) => !all.includes(name));
if (unknown.length > 0) fail(`the suite has no ${unknown.join(', ')}; see scripts/testing/paho-left-out.mjs`);

let [passed, failed] = [0, 0];
for (const name of names) {
  if (leftOut[name] !== undefined) {
    console.log(`left out  ${name}: ${leftOut[name]}`);
    continue;
  }
  const test = () => inBroker((port) => python([path, suite, String(port), name]));
  const first = await test();
  // The suites wait half a second for most answers, which a busy machine may take.
  const { isPassed, output } = first.isPassed ? first : await test();
  console.log(
    `${isPassed ? 'passed  ' : 'FAILED  '}  ${name}${isPassed && !first.isPassed ? ' (at the second try)' : ''}`,
  );
  if (isPassed) passed++;
  else failed++;
  if (!isPassed) console.log(output.replace(/^/gm, '    '));
}
console.log(
  `\nMQTT ${values.version}: ${passed} of ${names.length} tests passed, ${names.length - passed - failed} left out`,
);
report({ passed, failed }, startedAt);

/** Runs a test against a broker of its own, so that no test depends on what another left behind. */
async function inBroker(run) {
  if (values.port !== undefined) return run(Number(values.port));
  const { openConformanceBroker } = await import(
    pathToFileURL(join(ROOT, 'build', 'test', 'conformance', 'broker.js')).href
  );
  const directory = mkdtempSync(join(tmpdir(), 'pollcast-paho-'));
  const broker = await openConformanceBroker(directory);
  try {
    return await run(broker.port);
  } finally {
    await broker.close();
    rmSync(directory, { recursive: true });
  }
}

function python(args) {
  const child = spawn('python3', ['-c', RUN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: TEST_LIMIT_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((done) => {
    child.on('error', (error) => fail(`could not run python3: ${error.message}`));
    child.on('close', (code) => done({ isPassed: code === 0, output }));
  });
}
