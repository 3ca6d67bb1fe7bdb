import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Test } from 'tap';

/**
 * A proxy that serves a server below a path, next to other things, WebSockets included; resolves with its origin.
 *
 * @param target resolves with the port of the server, which may start later than the proxy
 * @param strips whether the proxy removes the prefix from the requests that it passes on
 */
export async function prefixProxy(t: Test, prefix: string, strips: boolean, target: () => number): Promise<string> {
  const inside = (url = '/') => {
    if (url !== prefix && !url.startsWith(`${prefix}/`)) return undefined;
    return strips ? url.slice(prefix.length) || '/' : url;
  };
  const proxy = createServer((from, answer) => {
    const path = inside(from.url);
    if (path === undefined) return void answer.writeHead(404).end('another site');
    const { method = 'GET', headers } = from;
    const onward = request({ port: target(), path, method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    from.pipe(onward);
  });
  proxy.on('upgrade', (from, socket, head) => {
    const path = inside(from.url);
    if (path === undefined) return void socket.destroy();
    const onward = connect(target(), '127.0.0.1', () => {
      const lines = from.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
      onward.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const side of [onward, socket]) side.on('error', () => {}).on('close', () => onward.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close().closeAllConnections());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
