/** MQTT clients that people use vote over a line that loses a vote, half a vote or an acknowledgement, and is cut each time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import createClient from 'u8-mqtt/esm/node/basic-v4.js';
import { type Fault, FaultyLine } from '../../support/network/faulty-line.ts';
import { pathInCheckout } from '../../support/root.ts';
import { withPoll } from './devices.ts';

t.setTimeout(120_000);

const FAULTS: readonly Fault[] = ['no PUBACK', 'half a PUBLISH', 'no PUBLISH', 'no PUBACK'];
const SKETCH = pathInCheckout('test/support/sketch');

/** Runs a program and resolves with its exit code. */
async function run(program: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  return code;
}

/** Runs a program until it succeeds, as a shell script or a person would. */
async function runUntilDone(program: string, args: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 10; tries++) if ((await run(program, args)) === 0) return;
  throw new Error(`${program} ${args.join(' ')} did not succeed`);
}

async function compile(t: Test, compiler: string, ...args: string[]): Promise<string> {
  const program = join(t.testdir(), 'program');
  t.equal(await run(compiler, ['-Wall', '-Werror', '-o', program, ...args]), 0, 'compiles');
  return program;
}

/** Votes for `b` with a client over a line with faults; the result must be exactly one ballot, for `b`. */
function client(name: string, vote: (t: Test, port: number) => Promise<void>): void {
  t.test(`${name}: one ballot, with the right choice`, async (t) => {
    const s = await withPoll(t);
    const line = await FaultyLine.to(s.pollcast.mqttPort, FAULTS);
    t.teardown(() => line.close());
    await vote(t, line.port);
    t.equal(line.happened, FAULTS.length, 'every fault happened');
    const { accounting, options } = await s.resultAfter('q', 3);
    const counts = Object.fromEntries(options.map(({ key, count }) => [key, count]));
    t.match(counts, { a: 0, b: 1, c: 0 });
    t.match(accounting, { received: 3, counted: 1, rejected: {} });
  });
}

for (const version of ['mqttv31', 'mqttv311']) {
  client(`mosquitto_pub ${version}`, (_, port) =>
    runUntilDone('mosquitto_pub', ['-V', version, '-p', `${port}`, '-i', 'm', '-q', '1', '-t', 'vote/q', '-m', 'b']),
  );
}

client('mqtt.js', async (t, port) => {
  const device = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: 'js', protocolVersion: 4, reconnectPeriod: 50 });
  t.teardown(() => device.endAsync(true));
  device.on('error', () => {});
  await device.publishAsync('vote/q', 'b', { qos: 1 });
});

client('u8-mqtt', async (_, port) => {
  for (let isDone = false; !isDone; ) {
    const device = createClient({ log_conn: () => {} }).with_tcp(port, '127.0.0.1');
    // The promises of a lost connection never settle, so the program has a time limit, as the voting page has.
    const limit = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
    const voted = device
      .connect({ client_id: 'u8' })
      .then(() => device.publish({ topic: 'vote/q', payload: 'b', qos: 1 }));
    isDone = await Promise.race([voted.then(() => true), limit]);
    device.disconnect().catch(() => {});
  }
});

client('paho for Python, examples/vote.py', async (t, port) => {
  const text = readFileSync(pathInCheckout('examples/vote.py'), 'utf8');
  const here = text.replace('1883', `${port}`).replace('vote/demo', 'vote/q');
  const program = join(t.testdir(), 'vote.py');
  // Wait 50 ms before connecting again, not a second, to save time.
  writeFileSync(program, here.replace('client.loop_start', 'client.reconnect_delay_set(0.05, 1)\nclient.loop_start'));
  t.equal(await run('/usr/bin/python3', [program]), 0);
});

client('paho for C', async (t, port) => {
  const program = await compile(t, 'gcc', join(SKETCH, 'paho.c'), '-lpaho-mqtt3c');
  t.equal(await run(program, [`${port}`, 'b']), 0);
});

client('examples/clicker.ino', async (t, port) => {
  const sketch = `-DSKETCH="${pathInCheckout('examples/clicker.ino')}"`;
  const program = await compile(t, 'g++', '-std=c++17', `-I${SKETCH}`, sketch, join(SKETCH, 'main.cpp'));
  t.equal(await run(program, [`${port}`, 'b']), 0);
});

/** Publishes as small libraries do: packet by packet, always with packet id 1, and anew after each loss. */
client('a client that writes the bytes itself', async (_, port) => {
  const text = (value: string) => [value.length >> 8, value.length & 0xff, ...Buffer.from(value)];
  const packet = (type: number, body: readonly number[]) => Buffer.from([type, body.length, ...body]);
  for (let isAcknowledged = false; !isAcknowledged; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const next = () => Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [Buffer.alloc(0)])]);
    socket.write(packet(0x10, [...text('MQTT'), 4, 2, 0, 15, ...text('raw')]));
    await next();
    socket.write(packet(0x32, [...text('vote/q'), 0, 1, ...Buffer.from('b')]));
    const [answer] = (await next()) as [Buffer];
    isAcknowledged = answer.equals(Buffer.from([0x40, 2, 0, 1]));
    socket.destroy();
  }
});

t.test('the command in the README votes', async (t) => {
  const s = await withPoll(t);
  const [command] = /mosquitto_pub .*/.exec(readFileSync(pathInCheckout('README.md'), 'utf8')) ?? [];
  const here = command?.replace('1883', `${s.pollcast.mqttPort}`).replace('vote/demo', 'vote/q') ?? 'false';
  t.equal(await run('sh', ['-c', here]), 0);
  t.match((await s.resultAfter('q', 1)).options, [{ key: 'a', count: 1 }]);
});
