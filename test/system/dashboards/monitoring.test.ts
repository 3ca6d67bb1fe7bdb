import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { onOwnPorts } from '../../support/ports.ts';
import { pathInCheckout } from '../../support/root.ts';
import { Program } from '../../support/servers.ts';
import { stage } from '../../support/stage.ts';

const HAPROXY = pathInCheckout('docker/haproxy.cfg');

t.test('monitoring has a port of its own if one is set', async (t) => {
  const s = await stage(t, { opsPort: '0', opsHost: '127.0.0.3' });
  const ops = `http://127.0.0.3:${s.pollcast.opsPort}`;
  t.not(s.pollcast.opsPort, s.pollcast.httpPort);
  t.match(await (await fetch(`${ops}/metrics`)).text(), /^pollcast_info\{role="all"/m);
  for (const path of ['/health', '/ready']) t.equal((await fetch(ops + path)).status, 200, path);
  for (const path of ['/api/polls', '/', '/docs', '/mqtt']) t.equal((await fetch(ops + path)).status, 404, path);
  for (const path of ['/metrics', '/%6Detrics', '//metrics', '/x/../metrics', '/metrics/', '/metrics?x']) {
    t.equal(await statusOf(s.pollcast.httpPort, path), 404, path);
  }
  for (const path of ['/health', '/ready']) t.equal(await statusOf(s.pollcast.httpPort, path), 200, path);
  t.notOk((await s.call('GET', '/docs/json')).body.paths['/metrics']);
});

t.test('without one, it stays where it was', async (t) => {
  const s = await stage(t);
  t.equal(s.pollcast.opsPort, 0);
  for (const path of ['/metrics', '/health', '/ready']) t.equal(await statusOf(s.pollcast.httpPort, path), 200, path);
});

t.test('docker/haproxy.cfg passes on what it lists, and nothing else, however it is written', async (t) => {
  const s = await stage(t, { opsPort: '0' });
  await s.openPoll('q', { room: 'hall' });
  const port = await proxyTo(t, s.pollcast.httpPort, s.pollcast.opsPort);
  for (const path of [
    ...['/', '/?lang=de', '/health', '/docs', '/docs/', '/docs/json', '/docs/static/index.css', '/favicon.ico'],
    ...['/web/icon.svg', '/screen/q', '/screen/room/hall', '/vote/hall', '/vote/worker.js'],
    ...['/vote/hall/manifest.webmanifest', '/api/polls', '/api/polls/q/result?round=1', '/api/rooms/hall'],
    ...['/api/stream?polls=q', '/api/rooms/hall/stream?changes=compact'],
  ]) {
    t.equal(await statusOf(port, path), 200, path);
  }
  const operator = await fetch(`http://127.0.0.1:${port}/api/polls/q/close`, { method: 'POST', headers: s.operator });
  t.equal(operator.status, 200);
  for (const path of [
    ...['/metrics', '/%6Detrics', '/metric%73', '/%6d%65trics', '//metrics', '/./metrics', '/x/../metrics'],
    ...['/api/../metrics', '/api/%2e%2e/metrics', '/api/..%2fmetrics', '/web/..;/metrics', '/metrics/', '/metrics?x'],
    ...['/metrics%00', '/Metrics', '/api//metrics', '/health/../metrics', '/docs/./../metrics', '/ready', '/web/..'],
    ...['http://127.0.0.1/metrics', 'http://127.0.0.1/%6Detrics', '/api\\..\\metrics', '/mqtt/../metrics'],
  ]) {
    const status = await statusOf(port, path);
    t.ok(status === 404 || status === 400, `${path}: ${status}`);
    t.notMatch(await answerTo(port, path), 'pollcast_info', path);
  }
});

t.test('HAProxy accepts docker/haproxy.cfg as it stands in the image', async (t) => {
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', HAPROXY], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  // The names of servers are those of containers.
  const warnings = stderr.split('\n').filter((line) => line.includes('WARNING') && !line.includes('could not resolve'));
  t.same(warnings, []);
});

/** Starts HAProxy in front of one process that has every role. @returns its HTTP port */
function proxyTo(t: Test, httpPort: number, opsPort: number): Promise<number> {
  return onOwnPorts(2, async (mqtt, http) => {
    const env: Record<string, string> = {
      MAXCONN: '1000',
      MQTT_BIND: `127.0.0.1:${mqtt}`,
      HTTP_BIND: `127.0.0.1:${http}`,
    };
    for (const name of ['BROKER1', 'BROKER2', 'DASHBOARD1', 'DASHBOARD2']) {
      env[name] = '127.0.0.1';
      env[`${name}_HTTP_PORT`] = String(httpPort);
      env[`${name}_OPS_PORT`] = String(opsPort);
    }
    const isUp = async () => (await statusOf(http, '/health')) === 200;
    const proxy = new Program('haproxy', ['-db', '-f', HAPROXY], isUp, env);
    t.teardown(() => proxy.end());
    await proxy.start();
    return http;
  });
}

async function statusOf(port: number, path: string): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await answerTo(port, path))?.[1]);
}

/** The beginning of the answer to a GET of a path exactly as it is written; `fetch` would tidy it up. */
function answerTo(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    });
    socket
      .setEncoding('utf8')
      .on('error', reject)
      .on('close', () => resolve(text));
    socket.on('data', (part: string) => {
      text += part;
      // A stream has no end.
      if (/^content-type: text\/event-stream/im.test(text) || text.length > 100_000) socket.destroy();
    });
  });
}
