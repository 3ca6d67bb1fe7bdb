/** Clients of MQTT 5 vote over a line that loses a vote, half a vote or an acknowledgement, and is cut each time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type ErrorWithReasonCode } from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { type Fault, FaultyLine } from '../../../support/network/faulty-line.ts';
import { withPoll } from '../devices.ts';

t.setTimeout(120_000);

const FAULTS: readonly Fault[] = ['no PUBACK', 'half a PUBLISH', 'no PUBLISH'];

/** Runs a program; resolves with its exit code and what it printed. */
async function run(program: string, ...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  return { code, text };
}

/** Votes with paho for Python; prints the reason code of CONNACK and of the acknowledgement’s DISCONNECT. */
const PAHO = (port: number) => `
import paho.mqtt.client as mqtt
version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*version, client_id="paho", protocol=mqtt.MQTTv5)
client.reconnect_delay_set(0.05, 1)
client.connect("127.0.0.1", ${port})
client.loop_start()
client.publish("vote/q", "b", qos=1).wait_for_publish()
client.disconnect()
`;

const CLIENTS: Record<string, (t: Test, port: number) => Promise<void>> = {
  'mosquitto_pub -V 5': async (_, port) => {
    for (let tries = 0; tries < 10; tries++) {
      const { code } = await run(
        ...(['mosquitto_pub', '-V', '5', '-p', `${port}`, '-i', 'm', '-q', '1', '-t', 'vote/q', '-m', 'b'] as const),
      );
      if (code === 0) return;
    }
    throw new Error('mosquitto_pub did not succeed');
  },
  'mqtt.js': async (t, port) => {
    const device = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
      clientId: 'js',
      protocolVersion: 5,
      clean: false,
      properties: { sessionExpiryInterval: 60 },
      reconnectPeriod: 50,
    });
    t.teardown(() => device.endAsync(true));
    device.on('error', () => {});
    await device.publishAsync('vote/q', 'b', { qos: 1 });
  },
  'paho for Python': async (t, port) => {
    const program = join(t.testdir(), 'vote.py');
    writeFileSync(program, PAHO(port));
    t.match(await run('/usr/bin/python3', program), { code: 0 });
  },
};

for (const [name, vote] of Object.entries(CLIENTS)) {
  t.test(`${name}: one ballot, with the right choice`, async (t) => {
    const s = await withPoll(t);
    const line = await FaultyLine.to(s.pollcast.mqttPort, FAULTS);
    t.teardown(() => line.close());
    await vote(t, line.port);
    t.equal(line.happened, FAULTS.length, 'every fault happened');
    const { accounting, options } = await s.resultAfter('q', 2);
    t.match(Object.fromEntries(options.map(({ key, count }) => [key, count])), { a: 0, b: 1, c: 0 });
    t.match(accounting, { received: 2, counted: 1, rejected: {} });
  });
}

t.test('mosquitto says why a vote was refused, and shows what it subscribed to', async (t) => {
  const s = await withPoll(t);
  const at = ['-V', '5', '-p', `${s.pollcast.mqttPort}`];
  const refused = await run('mosquitto_pub', ...at, '-i', 'm', '-q', '1', '-t', 'vote/none', '-m', 'b');
  t.match(refused.text, /Topic name invalid/i);
  const message = await run('mosquitto_sub', ...at, '-i', 'n', '-q', '1', '-t', 'poll/q', '-C', '1');
  t.equal(message.code, 0);
  t.equal(JSON.parse(message.text).status, 'open');
  const wildcard = await run('mosquitto_sub', ...at, '-i', 'n', '-q', '1', '-t', '#', '-C', '1', '-W', '5');
  t.match(wildcard.text, /denied|failed/i);
  t.match((await run('mosquitto_pub', ...at, '-i', '', '-t', 'vote/q', '-m', 'b', '-q', '1')).code, /[1-9]/);
});

t.test('mqtt.js learns the reason for which a vote was refused', async (t) => {
  const s = await withPoll(t);
  for (const url of [s.mqtt, `${s.http.replace('http', 'ws')}/mqtt`]) {
    const device = await mqtt.connectAsync(url, { clientId: 'd', protocolVersion: 5, reconnectPeriod: 0 });
    t.teardown(() => device.endAsync(true));
    for (const qos of [1, 2] as const) {
      const error = await device.publishAsync('vote/q', 'x', { qos }).then(
        () => undefined,
        (failed: ErrorWithReasonCode) => failed,
      );
      t.equal(error?.code, 0x99, `QoS ${qos}`);
      await device.publishAsync('vote/q', 'a', { qos });
    }
    t.equal(device.connected, true);
  }
  await eventually('the votes', async () => ((await s.resultAfter('q', 8)).votes === 8 ? true : undefined));
});
