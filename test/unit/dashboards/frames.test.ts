import { gunzipSync, constants as zlib } from 'node:zlib';
import t from 'tap';
import { acceptsGzip } from '../../../dashboards/gzip.ts';
import { eventFrame, HEARTBEAT, retryFrame, streamEnd, streamStart } from '../../../dashboards/sse/frame.ts';
import { FRAME_MS, intervalOf, Pace } from '../../../dashboards/sse/pace.ts';

const full = { isCompact: false, isGzip: false, isChunked: false };
const gzip = { ...full, isGzip: true };

t.test('compressed frames can follow each other in any selection and order', async (t) => {
  const options = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, label: `Option ${i}`, count: i }));
  const frames = [
    retryFrame(1_234),
    eventFrame('result', '1-0', { poll: 'q', options }),
    HEARTBEAT,
    eventFrame('change', '1-1', { poll: 'q', votes: 1 }),
    eventFrame('change', '1-2', { poll: 'ü', options }),
  ];
  for (const chosen of [frames, frames.toReversed(), frames.slice(2), [frames[1], frames[1]]]) {
    const parts = chosen.map((frame) => frame?.in(gzip) as Buffer);
    const text = gunzipSync(Buffer.concat([streamStart(gzip), ...parts]), { finishFlush: zlib.Z_SYNC_FLUSH });
    t.equal(text.toString(), chosen.map((frame) => frame?.in(full)).join(''));
  }
  const [, snapshot] = frames;
  t.ok((snapshot?.in(gzip).length ?? 0) * 3 < (snapshot?.in(full).length ?? 0), 'a snapshot shrinks');
});

t.test('a frame is encoded once per form, and only in the forms that viewers have', async (t) => {
  let times = 0;
  const frame = eventFrame('change', '1-1', { full: true }, () => {
    times++;
    return { compact: true };
  });
  t.equal(frame.in(full), frame.in({ ...full }));
  t.match(frame.in(full).toString(), '"full"');
  t.equal(times, 0);
  for (const isGzip of [false, true]) t.match(frame.in({ ...full, isCompact: true, isGzip }).toString(), '"compact"');
  t.equal(frame.in({ ...gzip, isCompact: true }), frame.in({ ...gzip, isCompact: true }));
  t.equal(times, 2);
});

t.test('for HTTP/1.1, every frame is a chunk', async (t) => {
  const data = { label: 'ü'.repeat(500) };
  for (const form of [full, gzip]) {
    const chunked = { ...form, isChunked: true };
    t.equal(streamEnd(form).length, 0);
    t.equal(streamEnd(chunked).toString(), '0\r\n\r\n');
    const frames = [eventFrame('result', '1-0', data), HEARTBEAT, retryFrame(1)];
    const pairs = [
      ...frames.map((frame) => [frame.in(form), frame.in(chunked)]),
      [streamStart(form), streamStart(chunked)],
    ];
    for (const [bare, chunk] of pairs) {
      const size = `${bare?.length.toString(16)}\r\n`;
      const expected = bare?.length ? Buffer.concat([Buffer.from(size), bare, Buffer.from('\r\n')]) : bare;
      t.same(chunk, expected);
    }
  }
});

t.test('who accepts gzip', async (t) => {
  for (const header of ['gzip', 'gzip, deflate, br', 'br;q=1.0, GZIP;q=0.5', '*', 'x-gzip', 'br, *;q=0.1']) {
    t.ok(acceptsGzip(header), `${header}`);
  }
  for (const header of [undefined, '', 'br', 'gzip;q=0', 'gzip; q=0.000, *', '*;q=0', 'gzipped', 'identity']) {
    t.notOk(acceptsGzip(header), `${header}`);
  }
});

t.test('frames come fast while there is room, and slow down with their cost, their size and other work', async (t) => {
  const small = { readMs: 0.1, sendMs: 1, bytes: 150 };
  t.equal(intervalOf(small, 0), FRAME_MS.least);
  t.equal(intervalOf({ ...small, sendMs: 20 }, 0), 30.5);
  t.equal(intervalOf({ ...small, sendMs: 20 }, 0.5), 61, 'half of the room, twice the time');
  t.ok(intervalOf({ ...small, sendMs: 20 }, 1) < 1_000, 'streams go on even if other work needs everything');
  t.equal(intervalOf({ ...small, readMs: 60_000 }, 0), FRAME_MS.most);
  t.equal(intervalOf({ ...small, bytes: 1_600 }, 0), 50);
  t.equal(intervalOf({ ...small, bytes: 1_000_000 }, 0), 100, 'size alone slows down to ten a second');
});

t.test('a change just before its turn is sent at once, which makes frames no more frequent', async (t) => {
  const pace = new Pace();
  t.equal(pace.waitMs(1_000), 0, 'the first change does not wait');
  pace.begin(1_000);
  t.equal(pace.waitMs(1_000 + FRAME_MS.least * 0.4), FRAME_MS.least * 0.6);
  t.equal(pace.waitMs(1_000 + FRAME_MS.least * 0.6), 0);
  pace.begin(1_000 + FRAME_MS.least * 0.6);
  t.equal(pace.waitMs(1_000 + FRAME_MS.least), FRAME_MS.least, 'the next one has its turn when it would have had it');
  for (const everyMs of [1, 7, 13, 24]) {
    const steady = new Pace();
    const framesAtMs: number[] = [];
    let dueMs = Number.POSITIVE_INFINITY;
    for (let ms = 0; ms < 10_000; ms++) {
      if (ms % everyMs === 0 && dueMs === Number.POSITIVE_INFINITY) dueMs = ms + steady.waitMs(ms);
      else if (ms % everyMs === 0 && steady.waitMs(ms) === 0) dueMs = ms;
      if (ms < dueMs) continue;
      steady.begin(ms);
      framesAtMs.push(ms);
      dueMs = Number.POSITIVE_INFINITY;
    }
    const most = Math.ceil(10_000 / FRAME_MS.least) + 1;
    t.ok(framesAtMs.length <= most && framesAtMs.length > most / 2, `${framesAtMs.length} frames at ${everyMs} ms`);
  }
});
