import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { followPoll, type Result } from '../../../client/stream.ts';
import { eventually } from '../../support/eventually.ts';

t.test('a listener that stops is not called again, even for events that have already arrived', async (t) => {
  const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const result = { poll: 'q', round: 1, options: [], ballots: 0 };
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event('result', result) + event('change', { ...result, final: true }) + event('final', result));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const results: Result[] = [];
  const lines: string[] = [];
  const stop = followPoll(
    'q',
    {
      onResult: (shown) => {
        results.push(shown);
        if (shown.final) stop();
      },
      onLine: (line) => lines.push(line),
    },
    { base: `http://127.0.0.1:${port}` },
  );
  await eventually('the final result', async () => (results.some(({ final }) => final) ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(results.length, 2, 'the first result and the final one');
  t.same(lines, ['live'], 'stopping is not reported as a lost connection');
});
