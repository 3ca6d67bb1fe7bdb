import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { followPoll } from '../client/stream.ts';
import { type Percentiles, ScreenLatency } from '../devices-sim/latency.ts';
import { Load } from './load.ts';
import { Subject } from './subject.ts';
import { compileViewers, Viewers } from './viewers/viewers.ts';

/** How often each server is measured. They take turns, and medians are reported. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const VIEWERS = Number(process.env.BENCH_VIEWERS ?? 4_000);
/** Viewers that connect before the others. */
const FIRST = 100;
const CHANGES_PER_SECOND = 10;
const MEASURE_MS = Number(process.env.BENCH_SECONDS ?? 10) * 1_000;
/** How vote → screen is measured: votes a second, from so many devices, while so many viewers follow. */
const SCREEN = {
  votesPerSecond: Number(process.env.BENCH_VOTES ?? 5_000),
  connections: 500,
  viewers: 1_000,
  ms: MEASURE_MS,
} as const;
const [MQTT_PORT, HTTP_PORT, NCHAN_PORT] = [21_894, 28_092, 28_093];
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';
/** The clock tick of `/proc/PID/stat` in ms. */
const TICK_MS = 10;
const STREAM = '/api/polls/demo/stream';

/** A server with event streams. */
interface Server {
  readonly port: number;
  readonly path: string;
  /** Headers of each viewer. */
  readonly headers: readonly string[];
  readonly pids: readonly number[];
  /** Causes changes, each of which every viewer gets. @param bytes the size of a change, if the server does not decide it */
  change(ms: number, bytes: number): Promise<void>;
  stop(): Promise<void>;
}

interface FanOut {
  /** Viewers connected per second, and the server’s CPU (ms) and memory (kB) per viewer. */
  readonly connects: number;
  readonly connectMs: number;
  readonly memory: number;
  /** Events that arrived per second, the server’s and the viewers’ CPU (µs) per event, and bytes per event. */
  readonly events: number;
  readonly cpuUs: number;
  readonly viewersUs: number;
  readonly bytes: number;
}

const directory = mkdtempSync(join(tmpdir(), 'pollcast-bench-'));
const program = compileViewers(directory);
try {
  const fanOuts = new Map<string, FanOut[]>();
  const screens: Percentiles[] = [];
  let bytes = 200;
  const note = (name: string, one: FanOut) => {
    fanOuts.set(name, [...(fanOuts.get(name) ?? []), one]);
    const figures = Object.entries(one).map(([figure, value]) => `${figure} ${value.toFixed(2)}`);
    process.stderr.write(`  ${name}: ${figures.join(', ')}\n`);
  };
  for (let round = 1; round <= ROUNDS; round++) {
    process.stderr.write(`round ${round} of ${ROUNDS} …\n`);
    for (const form of ['plain', 'compact', 'compact, gzip']) {
      const measured = await fanOut(await pollcast(form), bytes);
      if (form === 'plain') bytes = measured.bytes;
      note(`Pollcast, ${form}`, measured);
    }
    if (existsSync(NCHAN)) note('nginx with nchan', await fanOut(await nchan(), bytes));
    screens.push(await screen());
  }
  report(fanOuts, screens);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function fanOut(server: Server, bytes: number): Promise<FanOut> {
  const usage = () => ({ ms: sum(server.pids.map(cpuMs)), kB: sum(server.pids.map(residentKb)) });
  // What a server needs once, for its first viewers, is not what a viewer costs.
  const first = new Viewers(program, server.port, server.path, FIRST, server.headers);
  let viewers = first;
  try {
    await first.connected();
    const before = usage();
    viewers = new Viewers(program, server.port, server.path, VIEWERS, server.headers);
    const connectedMs = await viewers.connected();
    const connected = usage();
    await server.change(1_000, bytes);
    const [start, used] = [await viewers.totals(), usage()];
    const startMs = performance.now();
    await server.change(MEASURE_MS, bytes);
    const [end, usedAtEnd] = [await viewers.totals(), usage()];
    const events = end.events - start.events;
    return {
      connects: VIEWERS / (connectedMs / 1_000),
      connectMs: (connected.ms - before.ms) / VIEWERS,
      memory: (usedAtEnd.kB - before.kB) / VIEWERS,
      events: events / ((performance.now() - startMs) / 1_000),
      // The first viewers get the events as well.
      cpuUs: ((usedAtEnd.ms - used.ms) * 1_000) / (events * (1 + FIRST / VIEWERS)),
      viewersUs: (end.cpuUs - start.cpuUs) / events,
      bytes: (end.bytes - start.bytes) / events,
    };
  } finally {
    await Promise.all([viewers.stop(), first.stop()]);
    await server.stop();
  }
}

async function startPollcast(): Promise<Subject> {
  const data = mkdtempSync(join(directory, 'data-'));
  const ports = ['--mqtt-port', String(MQTT_PORT), '--http-port', String(HTTP_PORT)];
  const pollcast = fileURLToPath(new URL('../cli/pollcast.js', import.meta.url));
  // All viewers have the same address here.
  const limits = ['--requests-per-second', '1000000', '--max-viewers-per-address', '1000000'];
  return Subject.start(
    process.execPath,
    [pollcast, 'up', '--demo', ...ports, ...limits, '--data-dir', data],
    '"running"',
  );
}

/** Pollcast in one process, with its embedded store, whose viewers ask for a form of the changes. */
async function pollcast(form: string): Promise<Server> {
  const subject = await startPollcast();
  const load = new Load({ port: MQTT_PORT, connections: 1, topic: 'vote/demo' });
  await load.connect();
  return {
    port: HTTP_PORT,
    path: form === 'plain' ? STREAM : `${STREAM}?changes=compact`,
    headers: form.endsWith('gzip') ? ['Accept-Encoding: gzip'] : [],
    pids: [subject.pid],
    change: (ms) => load.pace(CHANGES_PER_SECOND, ms, () => {}),
    async stop() {
      load.close();
      await subject.stop();
    },
  };
}

/** nginx with one worker, and its module nchan. */
async function nchan(): Promise<Server> {
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr notice; load_module ${NCHAN};
     worker_rlimit_nofile 20000; events { worker_connections 19000; }
     http { access_log off; client_body_temp_path ${directory}/body; nchan_shared_memory_size 64M;
       proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi; uwsgi_temp_path ${directory}/uwsgi;
       scgi_temp_path ${directory}/scgi;
       server { listen 127.0.0.1:${NCHAN_PORT};
         location /publish { nchan_publisher; nchan_channel_id demo; nchan_message_buffer_length 1; }
         location /stream { nchan_subscriber eventsource; nchan_channel_id demo; nchan_subscriber_first_message newest; } } }`,
  );
  const subject = await Subject.start('nginx', ['-p', directory, '-c', file], 'start worker processes');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const children = readFileSync(`/proc/${subject.pid}/task/${subject.pid}/children`, 'utf8').trim().split(' ');
  const pids = [subject.pid, ...children.map(Number)];
  const publish = async (body: string) => {
    await fetch(`http://127.0.0.1:${NCHAN_PORT}/publish`, { method: 'POST', body });
  };
  await publish('first');
  return {
    port: NCHAN_PORT,
    path: '/stream',
    headers: [],
    pids,
    async change(ms, bytes) {
      const startMs = performance.now();
      for (let i = 0; performance.now() - startMs < ms; i++) {
        // `id:` and `data:` take about 40 bytes of each event.
        await publish('x'.repeat(Math.max(1, Math.round(bytes) - 40)));
        const dueMs = startMs + ((i + 1) * 1_000) / CHANGES_PER_SECOND;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      }
    },
    async stop() {
      for (const pid of pids.slice(1)) process.kill(pid, 'SIGKILL');
      await subject.stop();
    },
  };
}

/** From vote to screen, as the client `pollcast/stream` sees it beside many other viewers. */
async function screen(): Promise<Percentiles> {
  const subject = await startPollcast();
  const load = new Load({ port: MQTT_PORT, connections: SCREEN.connections, topic: 'vote/demo' });
  await load.connect();
  const viewers = new Viewers(program, HTTP_PORT, `${STREAM}?changes=compact`, SCREEN.viewers, []);
  await viewers.connected();
  await load.pace(SCREEN.votesPerSecond, 2_000, () => {});
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const latency = new ScreenLatency(2 * SCREEN.votesPerSecond);
  const onResult = ({ votes }: { votes: number | null }) => latency.seen(votes ?? 0, performance.now());
  const stop = followPoll('demo', { onResult }, { base: `http://127.0.0.1:${HTTP_PORT}` });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await load.pace(SCREEN.votesPerSecond, SCREEN.ms, (sentAtMs) => latency.acknowledged(sentAtMs));
  await new Promise((resolve) => setTimeout(resolve, 500));
  stop();
  await viewers.stop();
  load.close();
  await subject.stop();
  return latency.percentiles;
}

function report(fanOuts: ReadonlyMap<string, readonly FanOut[]>, screens: readonly Percentiles[]): void {
  const columns: readonly [string, keyof FanOut, number][] = [
    ['viewers connected/s', 'connects', 0],
    ['server CPU a connect (ms)', 'connectMs', 2],
    ['memory a viewer (kB)', 'memory', 1],
    ['events/s', 'events', 0],
    ['server CPU an event (µs)', 'cpuUs', 1],
    ['viewers’ CPU an event (µs)', 'viewersUs', 1],
    ['bytes an event', 'bytes', 0],
  ];
  console.log(`\n${VIEWERS} viewers, ${CHANGES_PER_SECOND} changes a second; medians of ${ROUNDS}, (all)\n`);
  for (const [name, measured] of fanOuts) {
    console.log(name);
    for (const [what, field, digits] of columns) {
      const values = measured.map((one) => one[field]);
      const all = values.map((value) => value.toFixed(digits)).join(' ');
      console.log(`  ${what.padEnd(28)} ${median(values).toFixed(digits).padStart(8)}   (${all})`);
    }
  }
  console.log(`\nvote → screen at ${SCREEN.votesPerSecond} votes/s with ${SCREEN.viewers} viewers`);
  for (const of of ['p50', 'p99'] as const) {
    const values = screens.map((one) => one[of]);
    console.log(`  ${of} ${median(values).toFixed(0)} ms   (${values.map((value) => value.toFixed(0)).join(' ')})`);
  }
  console.log(`\nNode ${process.versions.node}, ${cpus().length} cores; servers and viewers on the same machine.`);
}

/** The CPU time in ms that a process has used. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The resident memory of a process in kB. */
function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
