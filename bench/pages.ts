import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { type CDPSession, chromium, type Page } from 'playwright-core';
import { embedded } from './contenders.ts';
import { Load } from './load.ts';

/** Other viewers of the same stream. */
const VIEWERS = 1_000;
const CONNECTIONS = 1_000;
const VOTES_PER_SECOND = 2_000;
const MEASURE_MS = Number(process.env.BENCH_SECONDS ?? 30) * 1_000;
/** Heap samples of the leak check. Two more samples are taken, one before and one after the frame measurement. */
const LEAK_SAMPLES = 6;
const CONNECTING = 50;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];

/** The frame rate and frame times (ms) of a page, measured by the page’s own clock. */
interface Frames {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** The share of frames that took more than 25 ms (1.5 frames at 60 Hz). */
  readonly late: number;
}

/** Records the page’s frame times until stopped. The script is a string because it is evaluated in the page. */
const WATCH = `
  globalThis.frames_ = [];
  globalThis.watching_ = true;
  (function next(before) {
    requestAnimationFrame((now) => {
      if (before !== undefined) frames_.push(now - before);
      if (watching_) next(now);
    });
  })();
`;
const READ = `
  (() => {
    watching_ = false;
    const sorted = frames_.toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const all = sorted.reduce((sum, ms) => sum + ms, 0);
    const late = sorted.filter((ms) => ms > 25).length / sorted.length;
    return { perSecond: (sorted.length / all) * 1000, p50: at(0.5), p99: at(0.99), longest: sorted.at(-1), late };
  })()
`;

const running = await embedded.start();
const load = new Load({ port: running.port, connections: CONNECTIONS, topic: 'vote/demo' });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
const viewers: Socket[] = [];
try {
  const base = running.api?.base ?? '';
  await load.connect();
  await watchAll(Number(new URL(base).port));
  process.stderr.write(`${VIEWERS} viewers, ${VOTES_PER_SECOND} votes/s: measuring an empty page …\n`);
  const empty = await measured(await browser.newPage(), 'about:blank');
  process.stderr.write('measuring the screen …\n');
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  const screen = await measured(page, `${base}/screen/demo`);
  report(empty, screen);
} finally {
  for (const socket of viewers) socket.destroy();
  load.close();
  await browser.close();
  await running.stop();
}

async function measured(page: Page, address: string) {
  await page.goto(address);
  if (address.startsWith('http')) await page.waitForSelector('.bars');
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable');
  const heaps: number[] = [];
  let sent = 0;
  const voting = load.pace(VOTES_PER_SECOND, MEASURE_MS + 2_000, () => sent++);
  await pause(1_000);
  heaps.push(await heapOf(client));
  const busyBefore = await metric(client, 'TaskDuration');
  await page.evaluate(WATCH);
  const startMs = performance.now();
  await pause(MEASURE_MS);
  const frames = await page.evaluate<Frames>(READ);
  const busy = (await metric(client, 'TaskDuration')) - busyBefore;
  const seconds = (performance.now() - startMs) / 1_000;
  heaps.push(await heapOf(client));
  await voting;
  const nodes = await metric(client, 'Nodes');
  // Look for leaks: sample the heap repeatedly under load, without measuring frames.
  for (let sample = 0; sample < LEAK_SAMPLES && address.startsWith('http'); sample++) {
    await load.pace(VOTES_PER_SECOND, MEASURE_MS / LEAK_SAMPLES, () => sent++);
    heaps.push(await heapOf(client));
  }
  const ballots = address.startsWith('http') ? await page.textContent('.turnout strong') : '';
  await page.close();
  return { frames, heaps, nodes, busy: busy / seconds, sent, ballots };
}

function report(empty: Awaited<ReturnType<typeof measured>>, screen: Awaited<ReturnType<typeof measured>>): void {
  const line = (name: string, { frames, busy }: typeof empty) =>
    `  ${name.padEnd(12)} ${frames.perSecond.toFixed(1)} frames/s, p50 ${frames.p50.toFixed(1)} ms, p99 ${frames.p99.toFixed(1)} ms, longest ${frames.longest.toFixed(0)} ms, ${(100 * frames.late).toFixed(2)} % late; main thread busy ${(100 * busy).toFixed(1)} %`;
  console.log(
    `\n${VIEWERS} viewers of one stream, ${VOTES_PER_SECOND} votes/s; each page measured for ${MEASURE_MS / 1000} s`,
  );
  console.log(line('empty page', empty));
  console.log(line('screen', screen));
  console.log(
    `  frames/s of the screen relative to the empty page: ${(screen.frames.perSecond / empty.frames.perSecond).toFixed(3)}`,
  );
  console.log(
    `  heap at each sample (MiB): ${screen.heaps.map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(' ')}; ${screen.nodes} nodes`,
  );
  console.log(`  ballot count shown on the screen: ${screen.ballots}; votes sent: ${empty.sent + screen.sent}`);
  console.log(
    `\nNode ${process.versions.node}, ${cpus().length} cores; server, load, viewers and browser on the same machine.`,
  );
}

/** Opens the streams of the other viewers and discards their data. */
async function watchAll(port: number): Promise<void> {
  for (let at = 0; at < VIEWERS; at += CONNECTING) {
    await Promise.all(
      Array.from({ length: CONNECTING }, async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        socket.write('GET /api/polls/demo/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(socket, 'data');
        socket.resume();
        viewers.push(socket);
      }),
    );
  }
}

/** The size of the page’s heap (bytes) after a garbage collection. */
async function heapOf(client: CDPSession): Promise<number> {
  await client.send('HeapProfiler.collectGarbage');
  return metric(client, 'JSHeapUsedSize');
}

async function metric(client: CDPSession, name: string): Promise<number> {
  const { metrics } = await client.send('Performance.getMetrics');
  return metrics.find((one) => one.name === name)?.value ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
