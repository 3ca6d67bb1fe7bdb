import { setTimeout as sleep } from 'node:timers/promises';
import { encode as encodeCbor } from 'cborg';
import { Api, type PollInfo, type RecountInfo, type ResultInfo } from './api.ts';
import { randomChoice, seeded } from './choices.ts';
import { type DeviceOptions, type Qos, SimDevice } from './device.ts';
import { Latency, type Percentiles, ScreenLatency } from './latency.ts';
import { Ledger } from './ledger.ts';
import { StreamWatch } from './stream.ts';
import { compareBallots, compareTallies, isExact, type Verdict } from './verdict.ts';

export interface SimulationOptions {
  /** Where devices connect; several brokers separated by commas: devices spread over them. */
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly token?: string | undefined;
  readonly poll: string;
  readonly devices: number;
  /** Votes of each device; all after the first are revotes. */
  readonly votes: number;
  /** How long the first votes of most devices take to come in, ms, ever faster. */
  readonly rampMs: number;
  /** The share of devices that vote all at once after the ramp, 0 to 1. */
  readonly burst: number;
  /** Weight of each QoS; `[0, 9, 1]` is nine devices at QoS 1 for each at QoS 2. */
  readonly qosMix: readonly [number, number, number];
  readonly payload: 'text' | 'json' | 'cbor' | 'mixed';
  /** Everything must be acknowledged this long after the start, ms. */
  readonly limitMs: number;
  readonly reconnectMs: number;
  readonly seed: number;
  /** What devices sign in with, in their order, where the door asks for it; default: made-up ids and no password. */
  readonly credentials?: readonly { readonly device: string; readonly password: string }[] | undefined;
}

/** Told as the simulation goes on, for a progress bar. */
export type Progress = (phase: 'connecting' | 'voting' | 'counting', done: number, total: number) => void;

export interface Report {
  readonly options: SimulationOptions;
  readonly sent: number;
  readonly acknowledged: number;
  readonly drops: number;
  readonly votingMs: number;
  readonly ack: Percentiles;
  readonly screen: Percentiles;
  readonly verdict: Verdict;
  readonly result: ResultInfo;
  readonly recount: RecountInfo | undefined;
}

/** How long the API may be away while a rehearsal runs, ms. */
const PATIENCE_MS = 20_000;
/** Connections being opened at the same time. */
const CONNECTING = 100;
/** How long the count may take to catch up with the last acknowledgement, ms. */
const COUNT_LIMIT_MS = 30_000;
const FORMATS = ['text', 'json', 'cbor'] as const;

/** Rehearses an event: devices connect, vote, lose their line, vote again; then the count is held against the ledger. */
export class Simulation {
  private readonly options: SimulationOptions;
  private readonly progress: Progress;
  private readonly api: Api;
  private readonly random: () => number;
  private readonly prefix: string;
  private readonly ack = new Latency();
  private acknowledged = 0;

  constructor(options: SimulationOptions, progress: Progress = () => {}) {
    this.options = options;
    this.progress = progress;
    this.api = new Api(options.httpUrl, options.token, PATIENCE_MS);
    this.random = seeded(options.seed);
    this.prefix = options.credentials ? '' : `sim-${Date.now().toString(36)}-${options.seed.toString(36)}-`;
  }

  async run(): Promise<Report> {
    const { poll: id, devices: count } = this.options;
    // A server that is not there at the start is a mistake; one that is away later may come back.
    const poll = await new Api(this.options.httpUrl, this.options.token).poll(id);
    if (poll.status !== 'open') throw new Error(`poll ${id} is ${poll.status}; open it first`);
    const before = await this.api.result(id);
    const screen = new ScreenLatency(before.votes);
    const watch = new StreamWatch(this.api, id, (seen, atMs) => screen.seen(seen, atMs));
    const ledger = new Ledger(poll.revote);
    const devices = Array.from({ length: count }, (_, i) => this.device(i));
    watch.start();
    try {
      await this.connect(devices);
      const startMs = performance.now();
      await this.voteAll(devices, poll, ledger, screen);
      const votingMs = performance.now() - startMs;
      this.progress('counting', 0, 1);
      const { result, verdict } = await this.judge(poll, ledger, before);
      const recount = this.api.isOperator ? await this.api.recount(id) : undefined;
      this.progress('counting', 1, 1);
      const { sent, acknowledged } = ledger.totals;
      const drops = devices.reduce((sum, device) => sum + device.drops, 0);
      const [ack, onScreen] = [this.ack.percentiles, screen.percentiles];
      return {
        options: this.options,
        sent,
        acknowledged,
        drops,
        votingMs,
        ack,
        screen: onScreen,
        verdict,
        result,
        recount,
      };
    } finally {
      watch.stop();
      await Promise.all(devices.map((device) => device.end()));
    }
  }

  private device(i: number): SimDevice {
    const { mqttUrl, reconnectMs } = this.options;
    const all = mqttUrl.split(',');
    const urls = all.map((_, place) => all[(i + place) % all.length] as string);
    const options: DeviceOptions = { urls, reconnectMs };
    const known = this.options.credentials?.[i];
    if (!known) return new SimDevice(`${this.prefix}${i}`, this.drawQos(), options);
    return new SimDevice(known.device, this.drawQos(), {
      ...options,
      username: known.device,
      password: known.password,
    });
  }

  private drawQos(): Qos {
    const [zero, one, two] = this.options.qosMix;
    const drawn = this.random() * (zero + one + two);
    if (drawn < zero) return 0;
    return drawn < zero + one ? 1 : 2;
  }

  private async connect(devices: readonly SimDevice[]): Promise<void> {
    let next = 0;
    let done = 0;
    const connectNext = async () => {
      for (let device = devices[next++]; device; device = devices[next++]) {
        await within(
          this.options.limitMs,
          device.connect(),
          `${device.id} could not connect to ${this.options.mqttUrl}`,
        );
        this.progress('connecting', ++done, devices.length);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONNECTING, devices.length) }, connectNext));
  }

  /** Each device votes when its turn comes and goes on until all its votes are acknowledged, or the time is up. */
  private async voteAll(devices: readonly SimDevice[], poll: PollInfo, ledger: Ledger, screen: ScreenLatency) {
    const { rampMs, burst, limitMs } = this.options;
    const ramped = Math.round(devices.length * (1 - burst));
    const work = devices.map(async (device, i) => {
      // The square root makes the ramp: votes come ever faster.
      await sleep(i < ramped ? rampMs * Math.sqrt((i + 1) / Math.max(1, ramped)) : rampMs);
      await this.voteOne(device, poll, ledger, screen);
    });
    // When the time is up, what is still open stays open in the ledger; the votes end with their devices.
    for (const promise of work) promise.catch(() => {});
    await Promise.race([Promise.all(work), sleep(limitMs, undefined, { ref: false })]);
  }

  private async voteOne(device: SimDevice, poll: PollInfo, ledger: Ledger, screen: ScreenLatency): Promise<void> {
    const total = this.options.devices * this.options.votes;
    for (let n = 0; n < this.options.votes; n++) {
      const choice = randomChoice(poll, this.random);
      ledger.sending(device.id, device.qos, choice);
      const sentAtMs = performance.now();
      await device.vote(`vote/${poll.poll}`, this.encode(choice, n));
      ledger.acknowledged(device.id);
      if (device.qos > 0) this.ack.record(performance.now() - sentAtMs);
      screen.acknowledged(sentAtMs);
      this.progress('voting', ++this.acknowledged, total);
    }
  }

  private encode(choice: string, n: number): string | Buffer {
    const { payload } = this.options;
    const format = payload === 'mixed' ? FORMATS[Math.floor(this.random() * FORMATS.length)] : payload;
    if (format === 'json') return JSON.stringify({ c: choice, n });
    if (format === 'cbor') return Buffer.from(encodeCbor({ c: choice, n }));
    return choice;
  }

  /** Compares count and ledger, again and again until they agree: counting may lag, but not for ever. */
  private async judge(poll: PollInfo, ledger: Ledger, before: ResultInfo) {
    const endMs = performance.now() + COUNT_LIMIT_MS;
    const must = before.votes + ledger.totals.acknowledged;
    for (let votes = -1; ; ) {
      const result = await this.api.result(poll.poll);
      const verdict = await this.compare(poll, ledger, before, result);
      const isDone = isExact(verdict) && result.votes >= must && result.votes === votes;
      if (isDone || performance.now() > endMs) return { result, verdict };
      votes = result.votes;
      await sleep(200);
    }
  }

  private async compare(poll: PollInfo, ledger: Ledger, before: ResultInfo, after: ResultInfo): Promise<Verdict> {
    const { secrecy = 'named' } = poll;
    if (this.api.isOperator && secrecy === 'named')
      return compareBallots(ledger, await this.api.ballots(poll.poll), this.prefix);
    const why = this.whyOnlyOperators(poll, ledger, after);
    if (why) throw new Error(`${why}; to judge them, ballots must be seen: give the operator token`);
    return compareTallies(ledger, tallyOf(before), tallyOf(after));
  }

  private whyOnlyOperators({ kind, items }: PollInfo, ledger: Ledger, { hidden }: ResultInfo): string | undefined {
    const { open } = ledger.totals;
    if (open > 0) return `${open} votes have no acknowledgement`;
    if (hidden) return 'this poll hides its figures';
    const isPlain = kind === 'single' || kind === 'motion' || (kind === 'rating' && !items);
    return isPlain ? undefined : `counts of a poll of the kind ${kind} do not tell who chose what`;
  }
}

/** Counts by option, which are the choices where a vote names one. */
function tallyOf({ options }: ResultInfo): Map<string, number> {
  return new Map(options.map(({ key, count }) => [key, count ?? 0]));
}

async function within<T>(limitMs: number, work: Promise<T>, otherwise: string): Promise<T> {
  const ended = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw new Error(`${otherwise} within ${limitMs / 1000} s`);
  });
  limit.catch(() => {});
  try {
    return await Promise.race([work, limit]);
  } finally {
    ended.abort();
  }
}
