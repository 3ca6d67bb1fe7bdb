import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { withChange } from '../../../client/change.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { Spells } from '../../../core/waiting/spells.ts';
import { deltaOf } from '../../../dashboards/sse/delta.ts';
import { Feed } from '../../../dashboards/sse/feed.ts';
import { Frame } from '../../../dashboards/sse/frame.ts';
import { Heartbeats } from '../../../dashboards/sse/heartbeats.ts';
import { Rooms } from '../../../dashboards/sse/rooms.ts';
import { Viewer } from '../../../dashboards/sse/viewer.ts';
import { eventually } from '../../support/eventually.ts';

const form = { isCompact: false, isGzip: false, isChunked: false };
const frame = (text: string) => new Frame(() => text);

t.test('a slow viewer gets the newest state, never a backlog', async (t) => {
  const line = new PassThrough({ highWaterMark: 64 });
  const viewer = new Viewer({ socket: line, form }, () => {});
  let newest = 0;
  const snapshot = () => frame(`newest ${newest}`);
  for (newest = 1; newest <= 10_000; newest++) viewer.send(frame(`frame ${newest} ${'x'.repeat(64)}`), snapshot);
  t.ok(line.readableLength + line.writableLength < 1_000, 'frames for a slow viewer are not queued');
  newest = 10_000;
  let text = '';
  line.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('the newest state', async () => (text.includes('newest 10000') ? true : undefined));
  t.notOk(text.includes('frame 5000'));
  viewer.send(frame('next frame'), snapshot);
  await eventually('frames again', async () => (text.includes('next frame') ? true : undefined));
});

t.test('viewers can join a feed while another viewer leaves', async (t) => {
  let answer: (result: Result) => void = () => {};
  const result = { poll: 'q', round: 1, status: 'open', options: [] } as unknown as Result;
  const feed = new Feed(() => new Promise((resolve) => (answer = resolve)), new Spells());
  const lines = [new PassThrough(), new PassThrough()] as const;
  const [leaving, staying] = lines.map((socket) => new Viewer({ socket, form }, () => {})) as [Viewer, Viewer];
  const joins = [feed.join(leaving), feed.join(staying)];
  leaving.end();
  feed.leave(leaving);
  t.equal(feed.size, 2, 'joining viewers are counted, so that the feed is not discarded');
  feed.touch();
  answer(result);
  await Promise.all(joins);
  t.equal(feed.size, 1);
  let output = '';
  lines[1].on('data', (chunk: Buffer) => (output += chunk));
  await eventually('the next result', async () => {
    answer({ ...result, status: 'closed' });
    return output.includes('closed') ? true : undefined;
  });
  t.match(
    output,
    /event: result.*"open".*event: (status|change).*"closed"/s,
    'changes that happen during a join are not lost',
  );
  feed.close();
});

t.test('a viewer that was behind gets nothing of a feed that it has left meanwhile', async (t) => {
  const line = new PassThrough({ highWaterMark: 64 });
  const viewer = new Viewer({ socket: line, form }, () => {});
  const feeds = ['left', 'kept'].map((poll) => {
    const result = { poll, round: 1, status: 'open', options: [] } as unknown as Result;
    return new Feed(async () => result, new Spells());
  }) as [Feed, Feed];
  const behind = () => undefined;
  while (!line.writableNeedDrain) viewer.send(frame('x'.repeat(64)), behind);
  for (const feed of feeds) await feed.join(viewer);
  feeds[0].leave(viewer);
  let text = '';
  line.on('data', (part: Buffer) => (text += part));
  await eventually('the newest state', async () => (text.includes('"kept"') ? true : undefined));
  t.notMatch(text, /"left"/);
});

t.test('every round that becomes final has its final event', async (t) => {
  let round = 1;
  const result = () => ({ poll: 'q', round, status: 'closed', final: true, options: [] }) as unknown as Result;
  const feed = new Feed(async () => result(), new Spells());
  const line = new PassThrough();
  let text = '';
  line.on('data', (part: Buffer) => (text += part));
  await feed.join(new Viewer({ socket: line, form }, () => {}));
  round = 2;
  feed.touch();
  await eventually('the final event', async () => (/event: final.*"round":2/s.test(text) ? true : undefined));
  feed.close();
  t.pass();
});

t.test('a delta contains only what changed', async (t) => {
  const before = {
    poll: 'q',
    round: 1,
    ballots: 1,
    at: 'x',
    options: [
      { key: 'a', count: 1 },
      { key: 'b', count: 0 },
    ],
  } as unknown as Result;
  const after = {
    ...before,
    ballots: 2,
    options: [
      { key: 'a', count: 1 },
      { key: 'b', count: 1 },
    ],
  } as unknown as Result;
  t.same(deltaOf(before, after), { poll: 'q', round: 1, ballots: 2, options: [{ key: 'b', count: 1 }] });
  t.equal(deltaOf(before, structuredClone(before)), undefined);
  t.match(
    deltaOf({ ...before, tied: ['a', 'b'] } as unknown as Result, before),
    { tied: null },
    'a field that was removed becomes null',
  );
});

t.test(
  'viewers that join, leave or catch up while a frame is being sent to many end up with the same result',
  async (t) => {
    let votes = 0;
    const options = [{ key: 'a', count: 0 }];
    const result = () => ({ poll: 'q', round: 1, status: 'open', votes, options }) as unknown as Result;
    const feed = new Feed(async () => result(), new Spells());
    const compact = { ...form, isCompact: true };
    /** What a client shows after the events that have arrived. */
    const open = async (delayMs = 0) => {
      let text = '';
      const line = new Writable({
        highWaterMark: 64,
        write(part: Buffer, _encoding, done) {
          text += part;
          if (delayMs < 0) done();
          else setTimeout(done, delayMs);
        },
      });
      const viewer = new Viewer({ socket: line, form: compact }, () => {});
      await feed.join(viewer);
      const shown = () => {
        let now: Result | undefined;
        for (const [, event, data = ''] of text.matchAll(/event: (\w+)\nid: .*\ndata: (.*)\n\n/g)) {
          if (event === 'result') now = JSON.parse(data);
          else if (event === 'change' && now) now = withChange(now, JSON.parse(data));
        }
        return now;
      };
      return { viewer, shown };
    };
    // There are so many that a frame for all of them needs several turns.
    const slowly = new Writable({
      write(_part, _encoding, done) {
        const endMs = performance.now() + 0.01;
        while (performance.now() < endMs);
        done();
      },
    });
    for (let i = 0; i < 500; i++) await feed.join(new Viewer({ socket: slowly, form: compact }, () => {}));
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => open(i < 10 ? i : -1)));
    const joining: Awaited<ReturnType<typeof open>>[] = [];
    for (let i = 1; i <= 60; i++) {
      votes = i;
      feed.touch();
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      if (i % 3 === 0) joining.push(await open(i % 5));
      if (i % 10 === 0) feed.leave((joining.shift() as (typeof joining)[0]).viewer);
    }
    await eventually('the last result', async () =>
      [...others, ...joining].every(({ shown }) => shown()?.votes === 60) ? true : undefined,
    );
    feed.close();
    t.pass();
  },
);

/** A viewer whose writes take at least so long (ms). @param onWrite hears of each, before it */
function dear(ms: number, onWrite: () => void): Viewer {
  const socket = new Writable({
    write(_part, _encoding, done) {
      onWrite();
      const endMs = performance.now() + ms;
      while (performance.now() < endMs);
      done();
    },
  });
  return new Viewer({ socket, form }, () => {});
}

t.test('several feeds that send at once share the time in each turn', async (t) => {
  let votes = 0;
  const spells = new Spells();
  const result = (poll: string) => ({ poll, round: 1, status: 'open', votes, options: [] }) as unknown as Result;
  const feeds = Array.from({ length: 30 }, (_, i) => new Feed(async () => result(`q${i}`), spells));
  let writes = 0;
  const viewers = feeds.flatMap((feed) =>
    Array.from({ length: 5 }, () => ({ feed, viewer: dear(0.5, () => writes++) })),
  );
  for (const { feed, viewer } of viewers) await feed.join(viewer);
  const perTurn: number[] = [];
  let next = setImmediate(function count() {
    perTurn.push(writes);
    writes = 0;
    next = setImmediate(count);
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  perTurn.length = 0;
  votes++;
  for (const feed of feeds) feed.touch();
  await eventually('all frames', async () => perTurn.reduce((sum, one) => sum + one, 0) >= 150 || undefined);
  clearImmediate(next);
  // Two spells at most: one when the results have been read, and one in the turn that follows.
  t.ok(Math.max(...perTurn) <= 10, `${perTurn.filter((one) => one > 0)}`);
  for (const feed of feeds) feed.close();
});

t.test('a whole hall that waited for the first result gets it in many turns', async (t) => {
  let answer: (result: Result) => void = () => {};
  const result = { poll: 'q', round: 1, status: 'open', options: [] } as unknown as Result;
  const feed = new Feed(() => new Promise((resolve) => (answer = resolve)), new Spells());
  let turn = 0;
  let next = setImmediate(function count() {
    turn++;
    next = setImmediate(count);
  });
  const writes: number[] = [];
  const viewers = Array.from({ length: 60 }, () => dear(0.5, () => writes.push(turn)));
  const joins = viewers.map((viewer) => feed.join(viewer));
  answer(result);
  await Promise.all(joins);
  clearImmediate(next);
  t.equal(writes.length, 60);
  t.equal(feed.size, 60);
  t.ok(new Set(writes).size >= 60 / 10, `in ${new Set(writes).size} turns`);
  feed.close();
});

t.test('a viewer that was blocked never gets figures after they were hidden', async (t) => {
  let shown = { votes: 1 } as object;
  const result = () => ({ poll: 'q', round: 1, status: 'open', options: [], ...shown }) as unknown as Result;
  const feed = new Feed(async () => result(), new Spells());
  let writes = 0;
  let onHidden = () => {};
  const others = Array.from({ length: 60 }, () =>
    dear(0.5, () => {
      writes++;
      if (writes === 160) onHidden();
    }),
  );
  for (const viewer of others) await feed.join(viewer);
  // Its line takes nothing after the first result until it is read.
  const line = new PassThrough({ highWaterMark: 16 });
  await feed.join(new Viewer({ socket: line, form }, () => {}));
  shown = { votes: 77 };
  feed.touch();
  await eventually('the second frame', async () => writes >= 120 || undefined);
  let text = '';
  onHidden = () => line.on('data', (part: Buffer) => (text += part));
  shown = { hidden: true };
  feed.touch();
  await eventually('the last result', async () => text.includes('"hidden"') || undefined);
  await eventually('all frames', async () => writes >= 180 || undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.notMatch(text, /77/);
  t.equal(text.split('"hidden"').length, 2, 'and it gets the newest result once');
  feed.close();
});

t.test('heartbeats are spread over the time between them', async (t) => {
  const halt = new AbortController();
  t.teardown(() => halt.abort());
  let writes = 0;
  const beaten = new Set<number>();
  const heartbeats = new Heartbeats(new Spells(), halt.signal, 600);
  const shares = Array.from({ length: 300 }, (_, i) =>
    heartbeats.add(
      dear(0, () => {
        writes++;
        beaten.add(i);
      }),
    ),
  );
  t.same(new Set(shares.map(({ size }) => size)), new Set([5]));
  let most = 0;
  let next = setImmediate(function count() {
    most = Math.max(most, writes);
    writes = 0;
    next = setImmediate(count);
  });
  await eventually('a heartbeat for each', async () => beaten.size === 300 || undefined);
  clearImmediate(next);
  t.ok(most <= 5, `${most} in one turn`);
});

t.test('the viewers of a room move to its next poll in many turns, with one frame for all of them', async (t) => {
  let current = 'first';
  let encoded = 0;
  const polls = { inRoom: () => ({ definition: { poll: current } }) as Poll };
  const spells = new Spells();
  const rooms = new Rooms(polls, spells);
  const feeds = ['first', 'second'].map(
    (poll) => new Feed(async () => ({ poll, round: 1, status: 'open', options: [] }) as unknown as Result, spells),
  );
  const feed = (poll: string) => feeds[poll === 'first' ? 0 : 1] as Feed;
  let turn = 0;
  let next = setImmediate(function count() {
    turn++;
    next = setImmediate(count);
  });
  const turns = new Set<number>();
  const frames = new Set<Frame>();
  for (let i = 0; i < 60; i++) {
    const viewer = dear(0.5, () => turns.add(turn));
    const send = viewer.send.bind(viewer);
    viewer.send = (frame, newest) => {
      if (frame.in(form).includes('event: room')) frames.add(frame);
      encoded++;
      return send(frame, newest);
    };
    const source = { feed, leave: (_: string, left: Feed) => left.leave(viewer), onPoll() {}, onFailure: t.error };
    await rooms.watch(viewer, 'hall', source).follow();
  }
  t.equal(feeds[0]?.size, 60);
  turns.clear();
  frames.clear();
  encoded = 0;
  current = 'second';
  rooms.move();
  await eventually('the move', async () => (feeds[1]?.size === 60 && encoded === 120) || undefined);
  clearImmediate(next);
  t.equal(feeds[0]?.size, 0);
  t.equal(frames.size, 1);
  t.ok(turns.size >= 120 / 10, `in ${turns.size} turns`);
  for (const one of feeds) one.close();
});

t.test('why a viewer cannot follow its room is said, and others can later', async (t) => {
  let votes: number | bigint = 1n;
  const spells = new Spells();
  const rooms = new Rooms({ inRoom: () => ({ definition: { poll: 'q' } }) as Poll }, spells);
  const feed = new Feed(
    async () => ({ poll: 'q', round: 1, status: 'open', votes, options: [] }) as unknown as Result,
    spells,
  );
  const failures: unknown[] = [];
  const follow = async (viewer: Viewer) => {
    const source = { feed: () => feed, leave: (_: string, left: Feed) => left.leave(viewer), onPoll() {} };
    const watch = rooms.watch(viewer, 'hall', { ...source, onFailure: (error) => failures.push(error) });
    await watch.follow();
    return watch;
  };
  // JSON has no such numbers.
  const watch = await follow(dear(0, () => {}));
  t.match(failures, [TypeError]);
  rooms.leave('hall', watch);
  votes = 1;
  let writes = 0;
  await follow(dear(0, () => writes++));
  t.equal(failures.length, 1);
  t.equal(writes, 2, 'the name of the poll and its result');
  feed.close();
});
