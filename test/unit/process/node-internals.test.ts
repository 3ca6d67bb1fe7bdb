import { createServer } from 'node:http';
import t from 'tap';
import { missingInternals } from '../../../core/process/sockets/node-internals.ts';

t.test('this version of Node.js names the functions of its HTTP server as those from 20 to 24 do', async (t) => {
  t.same(missingInternals(), []);
});

t.test('a name that is missing is found out', async (t) => {
  t.same(missingInternals(createServer().removeAllListeners('connection')), ['connectionListener']);
  const other = createServer().removeAllListeners('connection');
  other.on('connection', function connectionListener() {});
  t.same(missingInternals(other), ['bound socketOnClose']);
});
