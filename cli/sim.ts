import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Progress, SimulationOptions } from '../devices-sim/simulation.ts';
import { TOKEN_FILE } from './token.ts';

/** The most devices one simulator process drives; each is a socket. */
const MAX_DEVICES = 20_000;

interface Flags {
  readonly mqtt: string;
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
    .description('Rehearse: simulated devices vote, and the count is held against what they were acknowledged')
    .option(
      '--mqtt <url>',
      'where devices connect: mqtt://host:port or ws://host:port/mqtt; several separated by commas',
      'mqtt://127.0.0.1:1883',
    )
    .option('--http <url>', 'where the API is', 'http://127.0.0.1:8080')
    .addOption(
      new Option('--token <token>', 'operator token, to compare ballot by ballot; default: the one in ./data').env(
        'POLLCAST_OPERATOR_TOKEN',
      ),
    )
    .option('--poll <poll>', 'the poll to vote in; it must be open', 'demo')
    .option('--devices <number>', 'how many devices', whole(1, MAX_DEVICES), 1000)
    .option('--votes <number>', 'votes of each device; all after the first are revotes', whole(1, 1000), 1)
    .option('--ramp <seconds>', 'time over which votes come in, ever faster', real(0, 3600), 10)
    .option('--burst <share>', 'share of devices that vote at once at the end, 0 to 1', real(0, 1), 0.3)
    .option('--qos <mix>', 'weights of QoS 0, 1 and 2, as 0:9:1', mix, [0, 9, 1] as const)
    .addOption(
      new Option('--payload <format>', 'how votes are written')
        .choices(['text', 'json', 'cbor', 'mixed'])
        .default('text'),
    )
    .option('--limit <seconds>', 'everything must be acknowledged by then', real(1, 3600), 120)
    .option('--seed <number>', 'the same seed makes the same devices and choices', whole(0, 2 ** 32 - 1), 1)
    .option('--json', 'print the report as JSON')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const token = flags.token ?? (await readFile(join('data', TOKEN_FILE), 'utf8').catch(() => undefined))?.trim();
  const options: SimulationOptions = {
    mqttUrl: flags.mqtt,
    httpUrl: flags.http,
    token,
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
  // Loaded when it is needed, as all that other commands do without.
  const { Simulation } = await import('../devices-sim/simulation.ts');
  const { isPassed, reportText } = await import('../devices-sim/report.ts');
  const bar = progressBar();
  try {
    const report = await new Simulation(options, bar.show).run();
    bar.stop();
    process.stdout.write(
      flags.json ? `${JSON.stringify({ passed: isPassed(report), ...report })}\n` : reportText(report),
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
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed.`);
    return value;
  };
}

function real(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max))
      throw new InvalidArgumentError(`a number from ${min} to ${max} is needed.`);
    return value;
  };
}

function mix(text: string): readonly [number, number, number] {
  const [zero = Number.NaN, one = Number.NaN, two = Number.NaN, ...rest] = text.split(':').map(Number);
  const isValid = [zero, one, two].every((weight) => weight >= 0) && zero + one + two > 0 && rest.length === 0;
  if (!isValid) throw new InvalidArgumentError('three weights are needed, for QoS 0, 1 and 2, as 0:9:1.');
  return [zero, one, two];
}
