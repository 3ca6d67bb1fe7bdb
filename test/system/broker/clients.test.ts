/** MQTT clients that people use vote over a line that loses a vote, half a vote or an acknowledgement, and is cut each time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import mqtt, { type IClientOptions } from 'mqtt';
import t, { type Test } from 'tap';
import createClient from 'u8-mqtt/esm/node/basic-v4.js';
import { emptyFolder } from '../../support/folder.ts';
import { type Fault, FaultyLine } from '../../support/network/faulty-line.ts';
import { Link } from '../../support/network/link.ts';
import { pathInCheckout } from '../../support/root.ts';
import { withPoll } from './devices.ts';

t.setTimeout(300_000);

const FAULTS: readonly Fault[] = ['no PUBACK', 'half a PUBLISH', 'no PUBLISH', 'no PUBACK'];
const SKETCH = pathInCheckout('test/support/sketch');
const PROGRAMS = pathInCheckout('test/support/clients');
/** The protocol levels that the broker offers, and what mosquitto’s clients call them. Every client that has a level is tested with it. */
const LEVELS = { 3: 'mqttv31', 4: 'mqttv311', 5: 'mqttv5' } as const;
const levels = Object.keys(LEVELS).map(Number) as (keyof typeof LEVELS)[];

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
  const program = join(emptyFolder(t), 'program');
  t.equal(await run(compiler, ['-Wall', '-Werror', '-o', program, ...args]), 0, 'compiles');
  return program;
}

type Vote = (t: Test, port: number) => Promise<void>;

/** Votes for `b` with a client over a line with faults; the result must be exactly one ballot, for `b`. */
function client(name: string, vote: Vote, faults = FAULTS): void {
  t.test(`${name}: one ballot, with the right choice`, async (t) => {
    const s = await withPoll(t);
    const line = await FaultyLine.to(s.pollcast.mqttPort, faults);
    t.teardown(() => line.close());
    await vote(t, line.port);
    t.equal(line.happened, faults.length, 'every fault happened');
    const { accounting, options } = await s.resultAfter('q', 3);
    const counts = Object.fromEntries(options.map(({ key, count }) => [key, count]));
    t.match(counts, { a: 0, b: 1, c: 0 });
    t.match(accounting, { received: 3, counted: 1, rejected: {} });
  });
}

/** Votes with mqtt.js: before it is connected, or later. */
async function voteWithMqttJs(t: Test, options: IClientOptions, qos: 1 | 2, isConnected: boolean): Promise<void> {
  const device = mqtt.connect({ clientId: 'js', reconnectPeriod: 50, ...options });
  t.teardown(() => device.endAsync(true));
  device.on('error', () => {});
  if (isConnected) await new Promise((resolve) => device.once('connect', resolve));
  await device.publishAsync('vote/q', 'b', { qos });
}

for (const level of levels) {
  for (const qos of [1, 2] as const) {
    const how = `MQTT level ${level}, QoS ${qos}`;
    client(`mosquitto_pub, ${how}`, (_, port) =>
      runUntilDone('mosquitto_pub', [
        ...['-V', LEVELS[level], '-p', `${port}`, '-i', 'm', '-q', `${qos}`, '-t', 'vote/q', '-m', 'b'],
      ]),
    );
    client(`mqtt.js, ${how}`, (t, port) => voteWithMqttJs(t, { port, ...protocolOf(level) }, qos, false));
    client(`paho for Python, ${how}`, async (t, port) => {
      const args = [join(PROGRAMS, 'paho-voter.py'), `${port}`, 'b', `${level}`, `${qos}`];
      t.equal(await run('/usr/bin/python3', args), 0);
    });
  }

  client(`paho for C, MQTT level ${level}`, async (t, port) => {
    const program = await compile(t, 'gcc', join(PROGRAMS, 'paho.c'), '-lpaho-mqtt3c');
    t.equal(await run(program, [`${port}`, 'b', `${level}`]), 0);
  });

  // Node-RED’s nodes call mqtt.js like this; the package of the nodes itself would bring a hundred others. Its broker node publishes
  // only while it is connected, and leaves sending again to mqtt.js.
  client(`Node-RED, MQTT level ${level}`, (t, port) => {
    const broker = { clientId: 'node-red', clean: true, keepalive: 60, resubscribe: false, connectTimeout: 30_000 };
    return voteWithMqttJs(t, { port, ...broker, ...protocolOf(level) }, 1, true);
  });

  t.test(`mosquitto_sub, MQTT level ${level}: hears of a poll, also after its line was cut`, async (t) => {
    const s = await withPoll(t);
    const link = await Link.to(s.pollcast.mqttPort);
    t.teardown(() => link.end());
    const args = ['-V', LEVELS[level], '-p', `${link.port}`, '-i', 'listener', '-q', '1', '-t', 'poll/q', '-C', '3'];
    const listener = spawn('mosquitto_sub', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => listener.kill());
    const heard: string[] = [];
    for await (const line of createInterface(listener.stdout)) {
      heard.push(JSON.parse(line).status);
      if (heard.length === 1) {
        link.cut();
        link.heal();
      } else if (heard.length === 2) {
        await s.call('POST', '/api/polls/q/close', { operator: true });
      }
    }
    t.match(heard, ['open', 'open', /^clos(ing|ed)$/]);
  });
}

function protocolOf(level: keyof typeof LEVELS): IClientOptions {
  return { protocolVersion: level, protocolId: level === 3 ? 'MQIsdp' : 'MQTT' };
}

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

client('examples/vote.py', async (t, port) => {
  const text = readFileSync(pathInCheckout('examples/vote.py'), 'utf8');
  const here = text.replace('1883', `${port}`).replace('vote/demo', 'vote/q');
  const program = join(emptyFolder(t), 'vote.py');
  // Wait 50 ms before connecting again, not a second, to save time.
  writeFileSync(program, here.replace('client.loop_start', 'client.reconnect_delay_set(0.05, 1)\nclient.loop_start'));
  t.equal(await run('/usr/bin/python3', [program]), 0);
});

client('examples/clicker.ino', async (t, port) => {
  const sketch = `-DSKETCH="${pathInCheckout('examples/clicker.ino')}"`;
  const program = await compile(t, 'g++', '-std=c++17', `-I${SKETCH}`, sketch, join(SKETCH, 'main.cpp'));
  t.equal(await run(program, [`${port}`, 'b']), 0);
});

const votingIn =
  (library: string): Vote =>
  async (t, port) => {
    const program = await compile(t, 'gcc', join(PROGRAMS, 'small.c'));
    t.equal(await run(program, [`${port}`, 'b', library]), 0);
  };
client('a microcontroller with lwmqtt', votingIn('lwmqtt'));
// This library knows no acknowledgements; it votes again until a receipt arrives.
client('a microcontroller with PubSubClient', votingIn('pubsubclient'), [
  'no receipt',
  'half a PUBLISH',
  'no PUBLISH',
  'no receipt',
]);

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
