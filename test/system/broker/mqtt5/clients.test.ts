/** What clients of MQTT 5 learn of refusals. `broker/clients` votes with them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import mqtt, { type ErrorWithReasonCode } from 'mqtt';
import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { withPoll } from '../devices.ts';

t.setTimeout(120_000);

/** Runs a program; resolves with its exit code and what it printed. */
async function run(program: string, ...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  return { code, text };
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
