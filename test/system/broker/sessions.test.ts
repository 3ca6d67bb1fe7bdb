import mqtt, { type IConnackPacket } from 'mqtt';
import { generate } from 'mqtt-packet';
import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { withPoll } from './devices.ts';

t.test('sessions and retained messages survive a restart', async (t) => {
  const first = await withPoll(t);
  const options = { clean: false };
  const device = await first.device('keeper', options);
  t.equal(await device.subscribe('poll/q', 1), 1);
  await device.next('poll/q');
  await device.client.endAsync();
  await first.stop();
  const second = await stage(t, {}, first.directory);
  await second.call('POST', '/api/polls/q/close', { operator: true });
  const client = mqtt.connect(second.mqtt, {
    clientId: 'keeper',
    protocolVersion: 4,
    clean: false,
    reconnectPeriod: 0,
  });
  const messages: string[] = [];
  client.on('message', (_topic, payload) => messages.push(payload.toString()));
  const connack = await new Promise<IConnackPacket>((resolve) => client.once('connect', resolve));
  t.equal(connack.sessionPresent, true);
  await eventually('the message it missed', async () =>
    messages.some((text) => text.includes('"closed"')) ? true : undefined,
  );
  await client.endAsync();
  const fresh = await second.device('fresh');
  await fresh.subscribe('poll/q');
  t.match(JSON.parse(await fresh.next('poll/q')), { status: 'closed' });
});

t.test('votes and results survive a restart, and the round continues', async (t) => {
  const first = await withPoll(t);
  await (await first.device('d')).vote('vote/q', 'a');
  await first.stop();
  const second = await stage(t, {}, first.directory);
  await (await second.device('d')).vote('vote/q', 'b');
  const result = await second.resultAfter('q', 2);
  t.match(result.accounting, { received: 2, counted: 1, replaced: 1 });
});

t.test('a session keeps only the topic filters that were granted', async (t) => {
  const first = await withPoll(t);
  const device = await first.device('keeper', { clean: false });
  const many = Array.from({ length: 100 }, (_, i) => `poll/p${i}`);
  const filters = ['poll/q', '#', 'receipt/other', ...many].map((topic) => ({ topic, qos: 1 as const }));
  const packet = generate({ cmd: 'subscribe', messageId: 9, subscriptions: filters });
  const suback = new Promise<{ granted: number[] }>((resolve) => {
    device.client.on(
      'packetreceive',
      (got) => got.cmd === 'suback' && resolve(got as unknown as { granted: number[] }),
    );
  });
  device.client.stream.write(packet);
  const { granted } = await suback;
  t.same(granted.slice(0, 3), [1, 128, 128]);
  t.equal(granted.filter((qos) => qos === 1).length, 32, 'at most 32 filters are granted');
  await device.client.endAsync();
  await first.openPoll('hidden-from-it');
  await first.call('POST', '/api/polls/q/close', { operator: true });
  const again = await first.device('keeper', { clean: false });
  await again.next('poll/q');
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.same([...new Set(again.messages.map(([topic]) => topic))], ['poll/q']);
});

t.test('stopping does not wait for phones connected over WebSocket', async (t) => {
  const s = await withPoll(t);
  const client = await mqtt.connectAsync(`${s.http.replace('http', 'ws')}/mqtt`, {
    clientId: 'phone',
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  const startMs = Date.now();
  t.equal(await s.pollcast.stop(), true);
  t.ok(Date.now() - startMs < 4_000, `stopping took ${Date.now() - startMs} ms`);
  await client.endAsync(true);
});
