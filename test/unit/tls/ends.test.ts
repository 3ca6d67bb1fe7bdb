import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { Tls } from '../../../core/process/tls/tls.ts';
import { type Hall, hall } from '../../support/hall.ts';

/** What is logged about certificates at the start, and the metrics. */
async function opened(t: Test, h: Hall) {
  const lines: string[] = [];
  const write = (line: Buffer, _encoding: string, done: () => void) => {
    lines.push(line.toString());
    done();
  };
  const metrics = new Registry();
  const files = { ...h.mutual, tlsClients: 'optional' as const };
  const tls = await Tls.open({ files, metrics, log: pino(new Writable({ write })) });
  t.teardown(() => tls.close());
  return { text: lines.join(''), metrics: await metrics.metrics() };
}

t.test('operators are warned two weeks before a certificate ends', async (t) => {
  const h = await hall(t);
  t.equal((await opened(t, h)).text, '', '30 days before');
  await h.renew(13);
  const { text, metrics } = await opened(t, h);
  t.match(text, /"of":"server","ends":"\d{4}-\d\d-\d\d","msg":"a certificate ends soon; replace it"/);
  const seconds = Number(/ends_timestamp_seconds\{of="server"\} (\d+)/.exec(metrics)?.[1]);
  t.equal(Math.ceil((seconds * 1_000 - Date.now()) / 86_400_000), 13);
  for (const of of ['authorities', 'revocations']) t.match(metrics, `ends_timestamp_seconds{of="${of}"}`);
});

t.test('only as many handlers of SIGHUP as there are open parts', async (t) => {
  const before = process.listenerCount('SIGHUP');
  const h = await hall(t);
  const tls = await Tls.open({
    files: { ...h.mutual, tlsClients: 'optional' },
    metrics: new Registry(),
    log: pino({ level: 'silent' }),
  });
  t.equal(process.listenerCount('SIGHUP'), before + 1);
  await tls.close();
  t.equal(process.listenerCount('SIGHUP'), before);
});
