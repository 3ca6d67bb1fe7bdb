import fc from 'fast-check';
import t from 'tap';
import { Acknowledgements } from '../../../broker/connection/acknowledgements.ts';

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
