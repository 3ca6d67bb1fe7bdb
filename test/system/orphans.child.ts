/** Acts as a test: starts one program of each kind, prints the process ids and waits to be killed. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startBrowser } from '../pages/support/browser.ts';
import { Server } from '../support/process.ts';
import { influxServer, redisServer } from '../support/servers.ts';

const [directory = ''] = process.argv.slice(2);
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  child.once('spawn', () => console.log(child.pid));
});
const server = new Server(join(directory, 'pollcast'));
await Promise.all([
  server.start(),
  redisServer(join(directory, 'redis')),
  influxServer(join(directory, 'influx')),
  startBrowser({ teardown() {} } as unknown as Test),
]);
console.log('all there');
