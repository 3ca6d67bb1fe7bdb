import { Duplex } from 'node:stream';
import t from 'tap';
import { Connection, type House } from '../../../broker/connection/connection.ts';
import { Connections } from '../../../broker/connection/connections.ts';
import { Flow } from '../../../broker/connection/flow/flow.ts';
import { GATE_LIMITS } from '../../../broker/connection/wire/limits.ts';

/** Longer than the process may stand still between two checks before their clients are given another round. */
const STALL_MS = 1_100;

/** Stands for a socket whose other end is this test. */
class Line extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

function opened() {
  const connections = new Connections();
  const gone: Connection[] = [];
  const house: House = {
    arrive: () => {},
    attach: () => {},
    slowed: () => {},
    closing: (connection) => connections.closing(connection),
    depart: (connection) => connections.remove(connection),
    gone: (connection) => gone.push(connection),
  };
  const open = (connectMs: number) => {
    const line = new Line();
    const parts = { flow: new Flow(1_000), limits: { ...GATE_LIMITS, connectMs } };
    const connection = new Connection(line, { address: undefined }, house, parts);
    connections.add(connection);
    return { line, connection };
  };
  return { connections, gone, open };
}

const turn = () => new Promise(setImmediate);

t.test('after the process stood still, clients are heard before they are judged', async (t) => {
  const { connections, open } = opened();
  const { connection } = open(100);
  const untilMs = performance.now() + STALL_MS;
  while (performance.now() < untilMs);
  connections.check();
  t.notOk(connection.isClosed);
  connections.check();
  t.ok(connection.isClosed);
  await turn();
  t.equal(connections.size, 0);
});

t.test(
  'connections that were cut count no more at once, and are closed in turns or when the broker stops',
  async (t) => {
    const { connections, gone, open } = opened();
    const all = Array.from({ length: 500 }, () => open(60_000));
    const kept = open(60_000);
    for (const { line } of all) line.destroy();
    await new Promise((resolve) => process.nextTick(resolve));
    t.equal(connections.size, 1);
    t.ok(all.every(({ connection }) => connection.isClosed));
    t.equal(gone.length, 0);
    await turn();
    await turn();
    t.ok(gone.length > 0 && gone.length < all.length, `${gone.length} are closed`);
    connections.destroyAll();
    await turn();
    t.equal(gone.length, all.length + 1, 'each once');
    t.ok(kept.connection.isClosed);
    for (let i = 0; i < 10; i++) await turn();
    t.equal(gone.length, all.length + 1);
  },
);
