import { Presets, SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Progress, SimulationOptions } from '../devices-sim/simulation.ts';
import { httpOption, operatorToken, tokenOption } from './operator/flags.ts';

/** The maximum number of devices in one simulator process. Each device needs a socket. */
const MAX_DEVICES = 20_000;

interface Flags {
  readonly mqtt: readonly string[];
  readonly http: string;
  readonly token?: string;
  readonly poll: string;
  readonly devices: number;
  readonly votes: number;
  readonly ramp: number;
  readonly burst: number;
  readonly qos: readonly [number, number, number];
  readonly payload: SimulationOptions['payload'];
  readonly limit: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Adds `pollcast sim`. */
export function addSim(program: Command): void {
  program
    .command('sim')
    .description('Rehearse: let simulated devices vote, and compare the count with the acknowledged votes')
    .option(
      '--mqtt <url>',
      'URL of the broker: mqtt://host:port or ws://host:port/mqtt; several mqtt:// URLs are separated by commas',
      brokers,
      ['mqtt://127.0.0.1:1883'],
    )
    .addOption(httpOption())
    .addOption(tokenOption())
    .option('--poll <poll>', 'the poll to vote in, which must be open', 'demo')
    .option('--devices <number>', 'number of devices', whole(1, MAX_DEVICES), 1000)
    .option('--votes <number>', 'votes per device; all but the first are revotes', whole(1, 1000), 1)
    .option('--ramp <seconds>', 'time over which votes arrive, at an increasing rate', real(0, 3600), 10)
    .option('--burst <share>', 'share of devices that vote simultaneously at the end, 0 to 1', real(0, 1), 0.3)
    .option('--qos <mix>', 'ratio of devices at QoS 0, 1 and 2, such as 0:9:1', mix, [0, 9, 1] as const)
    .addOption(
      new Option('--payload <format>', 'payload format of the votes')
        .choices(['text', 'json', 'cbor', 'mixed'])
        .default('text'),
    )
    .option('--limit <seconds>', 'time limit for all votes to be acknowledged', real(1, 3600), 120)
    .option(
      '--seed <number>',
      'random seed; the same seed gives the same devices and choices',
      whole(0, 2 ** 32 - 1),
      1,
    )
    .option('--json', 'print the report as JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const options: SimulationOptions = {
    mqttUrls: flags.mqtt,
    httpUrl: flags.http,
    token: await operatorToken(flags.token),
    poll: flags.poll,
    devices: flags.devices,
    votes: flags.votes,
    rampMs: flags.ramp * 1000,
    burst: flags.burst,
    qosMix: flags.qos,
    payload: flags.payload,
    limitMs: flags.limit * 1000,
    reconnectMs: 1000,
    seed: flags.seed,
  };
  // Loaded on demand, so that other commands start faster.
  const { Simulation } = await import('../devices-sim/simulation.ts');
  const { isPassed, reportText, withoutSecrets } = await import('../devices-sim/report.ts');
  const bar = progressBar();
  try {
    const report = await new Simulation(options, bar.show).run();
    bar.stop();
    process.stdout.write(
      flags.json ? `${JSON.stringify({ passed: isPassed(report), ...withoutSecrets(report) })}\n` : reportText(report),
    );
    process.exitCode = isPassed(report) ? 0 : 1;
  } catch (error) {
    bar.stop();
    process.stderr.write(`pollcast sim: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

function progressBar(): { show: Progress; stop: () => void } {
  const format = '  {phase} [{bar}] {value}/{total}';
  const bar = new SingleBar({ format, hideCursor: true, noTTYOutput: false, stream: process.stderr }, Presets.rect);
  let shown = '';
  return {
    show(phase, done, total) {
      if (phase !== shown) bar.start(total, done, { phase: phase.padEnd(10) });
      else bar.update(done);
      shown = phase;
    },
    stop: () => bar.stop(),
  };
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

function real(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max))
      throw new InvalidArgumentError(`expected a number from ${min} to ${max}.`);
    return value;
  };
}

/** Parses the URLs of brokers. With an invalid URL, devices would try to connect forever. */
function brokers(text: string): readonly string[] {
  const urls = text.split(',').map((url) => url.trim());
  const isBroker = (url: string) => URL.canParse(url) && /^(mqtts?|wss?):$/.test(new URL(url).protocol);
  const bad = urls.find((url) => !isBroker(url));
  if (bad !== undefined) {
    throw new InvalidArgumentError(
      `${JSON.stringify(bad)} is not a URL such as mqtt://host:port or ws://host:port/mqtt.`,
    );
  }
  if (urls.length > 1 && urls.some((url) => new URL(url).protocol !== 'mqtt:')) {
    throw new InvalidArgumentError('with several brokers, all URLs must be mqtt://host:port.');
  }
  return urls;
}

function mix(text: string): readonly [number, number, number] {
  const [zero = Number.NaN, one = Number.NaN, two = Number.NaN, ...rest] = text.split(':').map(Number);
  const isValid = [zero, one, two].every((weight) => weight >= 0) && zero + one + two > 0 && rest.length === 0;
  if (!isValid) throw new InvalidArgumentError('expected three numbers, for QoS 0, 1 and 2, such as 0:9:1.');
  return [zero, one, two];
}
