import fc from 'fast-check';
import t from 'tap';
import { Acknowledgements, type Pending } from '../../../broker/connection/acknowledgements.ts';

/** The sending side of a connection, which keeps the ids that are acknowledged. */
class Line {
  readonly ids: number[] = [];
  settled = 0;
  destroyed = false;

  acknowledge(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 4) this.ids.push(bytes.readUInt16BE(at + 2));
  }

  settle(packets: number): void {
    this.settled += packets;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

t.test('in whatever order packets are settled, each is acknowledged once, in the order of arrival', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat(400), fc.boolean())), fc.nat(), (turns, seed) => {
      const line = new Line();
      const order = new Acknowledgements(line);
      const open: number[] = [];
      let arrived = 0;
      let random = seed;
      for (const [arriving, settling, isFlushed] of turns) {
        for (let i = 0; i < arriving; i++) open.push(order.publish(1, (arrived++ % 0xffff) + 1));
        for (let i = 0; i < settling && open.length > 0; i++) {
          random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 1;
          const [pending] = open.splice(random % open.length, 1) as [number];
          order.settle(pending);
          // Saying it again changes nothing, also once the acknowledgement has been sent.
          order.settle(pending, 'closed');
        }
        if (isFlushed) order.flush();
      }
      for (const pending of open) order.settle(pending);
      order.flush();
      const isInOrder = line.ids.every((id, i) => id === (i % 0xffff) + 1);
      return isInOrder && line.ids.length === arrived && line.settled === arrived && order.isEmpty;
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test('a connection that cannot be sent its acknowledgements is closed, and no other waits for it', async (t) => {
  const lines = [new Line(), new Line(), new Line()] as const;
  lines[1].acknowledge = () => {
    throw new Error('cannot be written');
  };
  const orders = lines.map((line) => new Acknowledgements(line));
  for (let id = 1; id <= 2; id++) {
    for (const order of orders) order.settle(order.publish(1, id));
    await new Promise(setImmediate);
  }
  t.same(
    lines.map(({ ids }) => ids),
    [[1, 2], [], [1, 2]],
  );
  t.same(
    lines.map(({ destroyed }) => destroyed),
    [false, true, false],
  );
  t.same(
    lines.map(({ settled }) => settled),
    [2, 2, 2],
    'what the closed one had in flight is counted no more',
  );
});

t.test('a packet of which something is said after its acknowledgement does not harm the next one', async (t) => {
  const line = new Line();
  const order = new Acknowledgements(line);
  const first = order.publish(1, 1);
  order.settle(first);
  order.flush();
  const second = order.publish(1, 2);
  order.fail(first, new Error('late'));
  order.flush();
  t.same(line.ids, [1]);
  order.settle(second);
  order.flush();
  t.same(line.ids, [1, 2]);
  t.notOk(line.destroyed);
});

/** The sending side of a connection that keeps what it is given. */
class Recorder {
  readonly sent: string[] = [];
  settled = 0;
  error: string | undefined;

  get destroyed(): boolean {
    return this.error !== undefined;
  }

  acknowledge(bytes: Buffer): void {
    this.sent.push(bytes.toString('hex'));
  }

  settle(packets: number): void {
    this.settled += packets;
  }

  destroy({ message }: Error): void {
    this.error = message;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test(
  'acknowledgements leave in the order of the packets, and those that are due together in one write',
  async (t) => {
    const line = new Recorder();
    const order = new Acknowledgements(line);
    const publish = (qos: 0 | 1 | 2, i: number) => order.publish(qos, i + 257);
    const [first, second, third] = [publish(1, 0), publish(2, 1), publish(0, 2)];
    order.release(300);
    order.settle(third);
    order.settle(second);
    await turn();
    t.same(line.sent, []);
    order.settle(first);
    t.same(line.sent, [], 'not before the end of the turn');
    await turn();
    t.same(line.sent, ['40020101' + '50020102' + '7002012c']);
    t.equal(line.settled, 4);
    t.ok(order.isEmpty);
    const again = order.publish(1, 7);
    order.settle(again);
    order.flush();
    t.same(line.sent.slice(1), ['40020007'], 'at once, if something else is to follow');
    await turn();
    t.equal(line.sent.length, 2);
  },
);

t.test('a packet that failed closes the connection after the acknowledgements of earlier ones', async (t) => {
  const line = new Recorder();
  const order = new Acknowledgements(line);
  const packets = [1, 2, 3].map((id) => order.publish(1, id));
  order.fail(packets[1] as Pending, new Error('log down'));
  order.settle(packets[2] as Pending);
  await turn();
  t.notOk(line.destroyed);
  order.settle(packets[0] as Pending);
  await turn();
  t.same(line.sent, ['40020001']);
  t.equal(line.error, 'log down');
  t.equal(line.settled, 3, 'nothing stays in flight');
  order.settle(order.publish(1, 4));
  await turn();
  t.equal(line.sent.length, 1);
  t.equal(line.settled, 4);
});

t.test('a packet id at QoS 2 is held until PUBREL', async (t) => {
  const order = new Acknowledgements(new Recorder());
  t.ok(order.hold(1));
  t.notOk(order.hold(1));
  t.ok(order.hold(2));
  t.equal(order.held, 2);
  t.notOk(order.isEmpty);
  order.release(1);
  order.release(1);
  t.equal(order.held, 1);
  t.ok(order.hold(1), 'the id is free again');
});
