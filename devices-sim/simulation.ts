import { setTimeout as sleep } from 'node:timers/promises';
import { encode as encodeCbor } from 'cborg';
import { parse as parseCsv } from 'csv-parse/sync';
import type { PollAnswer, RecountAnswer, Result } from '../client/answers.ts';
import { ApiClient, pollPath } from '../client/api.ts';
import { followPoll } from '../client/stream.ts';
import { type Comparison, compareBallots, compareTallies, isExact } from './comparison.ts';
import { type DeviceOptions, type Qos, SimDevice } from './device.ts';
import { isPlain, randomChoice } from './kinds.ts';
import { Latency, type Percentiles, ScreenLatency } from './latency.ts';
import { Ledger } from './ledger.ts';
import { seeded } from './random.ts';

export interface SimulationOptions {
  /** The URLs of the brokers, across which devices are spread. */
  readonly mqttUrls: readonly string[];
  readonly httpUrl: string;
  readonly token?: string | undefined;
  readonly poll: string;
  readonly devices: number;
  /** Votes per device; all but the first are revotes. */
  readonly votes: number;
  /** The time in ms over which devices cast their first votes before the burst, at an increasing rate. */
  readonly rampMs: number;
  /** The share of devices that vote simultaneously after the ramp, 0 to 1. */
  readonly burst: number;
  /** The ratio of devices at QoS 0, 1 and 2. `[0, 9, 1]` means nine devices at QoS 1 for each device at QoS 2. */
  readonly qosMix: readonly [number, number, number];
  readonly payload: 'text' | 'json' | 'cbor' | 'mixed';
  /** The time limit in ms for each device to connect, and for all votes to be acknowledged. */
  readonly limitMs: number;
  readonly reconnectMs: number;
  readonly seed: number;
  /** The credentials of the devices, in order; default: generated ids without passwords. */
  readonly credentials?: readonly { readonly device: string; readonly password: string }[] | undefined;
}

/** Called while the simulation runs, for a progress bar. */
export type Progress = (phase: 'connecting' | 'voting' | 'counting', done: number, total: number) => void;

export interface Report {
  readonly options: SimulationOptions;
  readonly sent: number;
  readonly acknowledged: number;
  readonly drops: number;
  readonly votingMs: number;
  readonly ack: Percentiles;
  readonly screen: Percentiles;
  readonly verdict: Comparison;
  readonly result: Result;
  readonly recount: RecountAnswer | undefined;
}

/** Maximum time in ms for which the API may be unreachable during a rehearsal. */
const PATIENCE_MS = 20_000;
/** The number of devices that connect concurrently. */
const CONNECTING = 100;
/** Time limit in ms for the count to catch up with the acknowledgements. */
const COUNT_LIMIT_MS = 30_000;
const FORMATS = ['text', 'json', 'cbor'] as const;

/** Rehearses an event: devices connect and vote, and then the count is compared with the ledger. */
export class Simulation {
  private readonly options: SimulationOptions;
  private readonly progress: Progress;
  private readonly api: ApiClient;
  private readonly random: () => number;
  private readonly prefix: string;
  private readonly ack = new Latency();
  private acknowledged = 0;

  constructor(options: SimulationOptions, progress: Progress = () => {}) {
    this.options = options;
    this.progress = progress;
    this.api = new ApiClient({ base: options.httpUrl, token: options.token, patienceMs: PATIENCE_MS });
    this.random = seeded(options.seed);
    this.prefix = options.credentials ? '' : `sim-${Date.now().toString(36)}-${options.seed.toString(36)}-`;
  }

  async run(): Promise<Report> {
    const { poll: id, devices: count } = this.options;
    // No retries here: if the server does not answer at the start, it is probably not running. Later, it may come back.
    const poll = await new ApiClient({ base: this.options.httpUrl, token: this.options.token }).poll(id);
    if (poll.status !== 'open') throw new Error(`poll ${id} is ${poll.status}; open it first`);
    const before = await this.api.result(id);
    const screen = new ScreenLatency(before.votes ?? 0);
    const ledger = new Ledger(poll.revote);
    const devices = Array.from({ length: count }, (_, i) => this.device(i));
    const stop = followPoll(
      id,
      { onResult: ({ votes }) => screen.seen(votes ?? 0, performance.now()) },
      { base: this.api.base, headers: this.api.headers },
    );
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
      stop();
      await Promise.all(devices.map((device) => device.end()));
    }
  }

  private device(i: number): SimDevice {
    const { mqttUrls: all, reconnectMs } = this.options;
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
          `${device.id} could not connect to ${this.options.mqttUrls.join(', ')}`,
        );
        this.progress('connecting', ++done, devices.length);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONNECTING, devices.length) }, connectNext));
  }

  /** Lets each device start at its own time, and waits until all votes are acknowledged or the time limit is reached. */
  private async voteAll(devices: readonly SimDevice[], poll: PollAnswer, ledger: Ledger, screen: ScreenLatency) {
    const { rampMs, burst, limitMs } = this.options;
    const ramped = Math.round(devices.length * (1 - burst));
    const work = devices.map(async (device, i) => {
      // Because of the square root, votes arrive at an increasing rate.
      await sleep(i < ramped ? rampMs * Math.sqrt((i + 1) / Math.max(1, ramped)) : rampMs);
      await this.voteOne(device, poll, ledger, screen);
    });
    // After the time limit, unacknowledged votes stay open in the ledger. Their promises are rejected when the devices end.
    for (const promise of work) promise.catch(() => {});
    await Promise.race([Promise.all(work), sleep(limitMs, undefined, { ref: false })]);
  }

  private async voteOne(device: SimDevice, poll: PollAnswer, ledger: Ledger, screen: ScreenLatency): Promise<void> {
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

  /** Compares the count with the ledger until they agree or the time limit is reached, because counting may lag behind. */
  private async judge(poll: PollAnswer, ledger: Ledger, before: Result) {
    const endMs = performance.now() + COUNT_LIMIT_MS;
    const must = (before.votes ?? 0) + ledger.totals.acknowledged;
    for (let votes = -1; ; ) {
      const result = await this.api.result(poll.poll);
      const verdict = await this.compare(poll, ledger, before, result);
      const received = result.votes ?? 0;
      const isDone = isExact(verdict) && received >= must && received === votes;
      if (isDone || performance.now() > endMs) return { result, verdict };
      votes = received;
      await sleep(200);
    }
  }

  private async compare(poll: PollAnswer, ledger: Ledger, before: Result, after: Result): Promise<Comparison> {
    const { secrecy = 'named' } = poll;
    if (this.api.isOperator && secrecy === 'named')
      return compareBallots(ledger, await this.ballots(poll.poll), this.prefix);
    const why = this.whyOnlyOperators(poll, ledger, after);
    if (why) throw new Error(`${why}, so ballots must be compared; this requires the operator token`);
    return compareTallies(ledger, tallyOf(before), tallyOf(after));
  }

  /** Why only an operator, who can see ballots, can verify the count; undefined if anybody can. */
  private whyOnlyOperators(poll: PollAnswer, ledger: Ledger, { hidden }: Result): string | undefined {
    const { open } = ledger.totals;
    if (open > 0) return `${open} votes were not acknowledged`;
    if (hidden) return 'this poll hides its results';
    return isPlain(poll) ? undefined : `the counts of a ${poll.kind} poll do not show individual choices`;
  }

  /** Every ballot of the current round. */
  private async ballots(poll: string): Promise<[device: string, choice: string][]> {
    const text = await this.api.text(pollPath(poll, 'ballots.csv'));
    const rows: { device: string; choice: string }[] = parseCsv(text, { columns: true, bom: true });
    return rows.map(({ device, choice }) => [device, choice]);
  }
}

/** Counts by option. If each vote names one option, these are also the counts by choice. */
function tallyOf({ options }: Pick<Result, 'options'>): Map<string, number> {
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
