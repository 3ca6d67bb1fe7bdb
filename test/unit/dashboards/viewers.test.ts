import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import { withChange } from '../../../client/change.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { deltaOf } from '../../../dashboards/sse/delta.ts';
import { Feed } from '../../../dashboards/sse/feed.ts';
import { Frame } from '../../../dashboards/sse/frame.ts';
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
  const feed = new Feed(() => new Promise((resolve) => (answer = resolve)));
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
    return new Feed(async () => result);
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
  const feed = new Feed(async () => result());
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
    const feed = new Feed(async () => result());
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
